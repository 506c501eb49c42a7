import type { ServerResponse } from 'node:http';

/** An answer of the router's own, whole. */
export interface HttpAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly content: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export function jsonAnswer(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  return { status, contentType: 'application/json', content: JSON.stringify(body), headers };
}

/** Does nothing when an answer has begun already, or nobody is there to get it. */
export function sendAnswer(response: ServerResponse, answer: HttpAnswer): void {
  if (response.headersSent || response.destroyed) return;
  const bytes = Buffer.from(answer.content);
  response.writeHead(answer.status, {
    'content-type': answer.contentType,
    'content-length': bytes.length,
    ...answer.headers,
  });
  response.end(bytes);
}

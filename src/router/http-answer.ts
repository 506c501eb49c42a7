import type { IncomingMessage, ServerResponse } from 'node:http';

/** An answer of the router's own, whole. */
export interface HttpAnswer {
  readonly status: number;
  /** null = no content. */
  readonly contentType: string | null;
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
  response.writeHead(answer.status, answerHeaders(answer, bytes.length));
  response.end(bytes);
}

/** How long a client whose body is refused may go on sending it: an end at once would take the answer with it. */
const LINGER_MS = 2_000;

/** Answers while the body still comes; the connection ends when it is over, or after a moment. */
export function sendEarlyAnswer(request: IncomingMessage, response: ServerResponse, answer: HttpAnswer): void {
  if (response.headersSent || response.destroyed) return;
  const bytes = Buffer.from(answer.content);
  response.shouldKeepAlive = false;
  response.writeHead(answer.status, answerHeaders(answer, bytes.length));
  response.write(bytes);
  const end = (): void => {
    clearTimeout(lingering);
    response.end();
  };
  const lingering = setTimeout(end, LINGER_MS);
  request.once('end', end);
  response.once('close', end);
  request.resume();
}

/** Headers of an answer of `length` bytes; RFC 9110 §8.6 wants no length for one that has no content. */
export function answerHeaders(answer: HttpAnswer, length: number): Record<string, string | number> {
  const content = answer.contentType === null ? {} : { 'content-type': answer.contentType, 'content-length': length };
  return { ...content, ...answer.headers };
}

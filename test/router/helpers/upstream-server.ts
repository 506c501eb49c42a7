import { createServer } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** A request as the upstream got it. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Behaviour = (request: SeenRequest, response: ServerResponse, raw: IncomingMessage) => void | Promise<void>;

export interface TestUpstream {
  readonly url: string;
  readonly seen: SeenRequest[];
  /** How it answers from now on. */
  behave(behaviour: Behaviour): void;
  /** Resolves with the next request that arrives. */
  next(): Promise<SeenRequest>;
  close(): Promise<void>;
}

/** A tiny OpenAI-compatible endpoint; it answers chat completions until told otherwise. */
export async function startUpstream(name = 'model'): Promise<TestUpstream> {
  let behaviour: Behaviour = answerChat(name);
  const seen: SeenRequest[] = [];
  const waiting: ((request: SeenRequest) => void)[] = [];
  const server = createServer((raw, response) => {
    const chunks: Buffer[] = [];
    raw.on('data', (chunk: Buffer) => chunks.push(chunk));
    raw.on('end', () => {
      const request = {
        method: raw.method ?? '',
        url: raw.url ?? '',
        headers: raw.headers,
        body: Buffer.concat(chunks).toString('utf8'),
      };
      seen.push(request);
      for (const resolve of waiting.splice(0)) resolve(request);
      void behaviour(request, response, raw);
    });
  });
  const port = await new Promise<number>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(portOf(server.address())));
  });
  const close = (): Promise<void> =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  onTestFinished(close);
  return {
    url: `http://127.0.0.1:${port}/v1`,
    seen,
    behave: (next) => {
      behaviour = next;
    },
    next: () => new Promise((resolve) => waiting.push(resolve)),
    close,
  };
}

/** One choice that says who answered, with usage. */
function answerChat(content: string): Behaviour {
  return (_request, response) => sendJson(response, 200, chatBody(content));
}

export function chatBody(content: string, usage: Record<string, unknown> = USAGE): Record<string, unknown> {
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    model: 'whatever',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage,
  };
}

const USAGE = { prompt_tokens: 100, completion_tokens: 20, prompt_tokens_details: { cached_tokens: 80 } };

export function answerStatus(status: number): Behaviour {
  return (_request, response) => sendJson(response, status, { error: { message: `status ${status}`, code: null } });
}

/** The chunks as they are, each written by itself. */
export function answerStream(chunks: readonly string[]): Behaviour {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const chunk of chunks) response.write(chunk);
    response.end();
  };
}

export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

function portOf(address: AddressInfo | string | null): number {
  if (typeof address === 'object' && address !== null) return address.port;
  throw new Error('the server does not listen on a port');
}

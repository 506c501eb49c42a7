import { Buffer } from 'node:buffer';
import { mkdirSync, writeFileSync } from 'node:fs';
import { inBench } from './settings.js';

/** What the load generator sends; `idle` holds its streams open. */
export type RequestName = 'short' | 'long' | 'stream' | 'first-token' | 'idle';

/** The number of a user, which the load generator fills in. */
const USER = 'user-@@@@@';
const LONG_PROMPT_BYTES = 32 * 1024;

const CONTEXT_LINE =
  'A line of a document that was put into the prompt for the model to answer from, as it stands there.\n';

const BODIES: Readonly<Record<RequestName, { readonly content: string; readonly stream: boolean }>> = {
  short: { content: 'Write one sentence about a fox, please.', stream: false },
  // A context of prose: what is quoted in it is escaped, every 120 bytes or so.
  long: { content: `${CONTEXT_LINE}She said "yes".\n`.repeat(1_000), stream: false },
  // Upstreams of the bench read from the prompt how they are to stream.
  stream: { content: 'mock:first=0,gap=1000,events=20', stream: true },
  'first-token': { content: 'mock:first=1000,gap=500,events=4', stream: true },
  idle: { content: 'mock:first=0,gap=3600000000,events=2', stream: true },
};

/** The bytes of a request, some 370 for `short`. */
export function requestText(
  name: RequestName,
  target: { readonly model: string; readonly headers: Readonly<Record<string, string>> },
): string {
  const { content, stream } = BODIES[name];
  const body = JSON.stringify({
    model: target.model,
    messages: [
      { role: 'system', content: 'You are the assistant of a bench.' },
      { role: 'user', content: content.slice(0, LONG_PROMPT_BYTES) },
    ],
    temperature: 0.2,
    user: USER,
    ...(stream && { stream: true }),
  });
  const headers = {
    host: '127.0.0.1',
    'content-type': 'application/json',
    authorization: 'Bearer sk-bench',
    // For a gateway that cannot look into a body.
    'x-user-id': USER,
    ...target.headers,
    'content-length': String(Buffer.byteLength(body)),
  };
  const lines = Object.entries(headers).map(([header, value]) => `${header}: ${value}\r\n`);
  return `POST /v1/chat/completions HTTP/1.1\r\n${lines.join('')}\r\n${body}`;
}

/** Writes the request for the load generator; returns its path. */
export function writeRequest(
  name: RequestName,
  target: { readonly name: string; readonly model: string; readonly headers: Readonly<Record<string, string>> },
): string {
  mkdirSync(inBench('requests'), { recursive: true });
  const path = inBench('requests', `${target.name}-${name}`);
  writeFileSync(path, requestText(name, target));
  return path;
}

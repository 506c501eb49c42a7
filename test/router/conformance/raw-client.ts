import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { jsonOf } from '../helpers/router-fixture.js';

/** An answer as it stood on the wire. */
export interface WireAnswer {
  readonly status: number;
  /** By lower-case name; repeated ones joined by ", ". */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** The body came to the end that its framing promised. */
  readonly whole: boolean;
}

/** Against hangs only. */
const PATIENCE_MS = 20_000;

export async function openSocket(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  // A reset is an outcome that the answers show, not an accident of the test.
  socket.on('error', () => undefined);
  return socket;
}

/** Writes the pieces, each in a turn of its own, and reads until the other side closes. */
export async function exchange(url: string, pieces: string | readonly (string | Buffer)[]): Promise<WireAnswer[]> {
  const socket = await openSocket(url);
  const reading = readToClose(socket);
  for (const piece of typeof pieces === 'string' ? [pieces] : pieces) {
    socket.write(typeof piece === 'string' ? Buffer.from(piece, 'latin1') : piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const bytes = await reading;
  return parseAnswers(bytes);
}

export async function readToClose(socket: Socket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const guard = setTimeout(() => socket.destroy(new Error('no end came')), PATIENCE_MS);
  await new Promise((resolve) => socket.once('close', resolve));
  clearTimeout(guard);
  return Buffer.concat(chunks);
}

/** Every answer in the bytes of a connection; informational ones too. */
export function parseAnswers(bytes: Buffer): WireAnswer[] {
  const answers: WireAnswer[] = [];
  let at = 0;
  while (at < bytes.length) {
    const end = bytes.indexOf('\r\n\r\n', at);
    if (end < 0) throw new Error(`no head: ${JSON.stringify(bytes.toString('latin1', at))}`);
    const [statusLine = '', ...lines] = bytes.toString('latin1', at, end).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(statusLine)?.[1]);
    const headers: Record<string, string> = {};
    for (const line of lines) {
      const colon = line.indexOf(':');
      const name = line.slice(0, colon).toLowerCase();
      const value = line.slice(colon + 1).trim();
      headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
    }
    const { body, next, whole } = bodyAt(bytes, end + 4, status, headers);
    answers.push({ status, headers, body, whole });
    at = next;
  }
  return answers;
}

function bodyAt(
  bytes: Buffer,
  from: number,
  status: number,
  headers: Readonly<Record<string, string>>,
): { body: Buffer; next: number; whole: boolean } {
  if (status < 200 || status === 204 || status === 304) return { body: Buffer.alloc(0), next: from, whole: true };
  if (headers['transfer-encoding'] === 'chunked') return chunkedAt(bytes, from);
  const length = headers['content-length'];
  if (length === undefined) return { body: bytes.subarray(from), next: bytes.length, whole: true };
  const next = Math.min(bytes.length, from + Number(length));
  return { body: bytes.subarray(from, next), next, whole: next === from + Number(length) };
}

function chunkedAt(bytes: Buffer, from: number): { body: Buffer; next: number; whole: boolean } {
  const parts: Buffer[] = [];
  let at = from;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return { body: Buffer.concat(parts), next: bytes.length, whole: false };
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    const data = lineEnd + 2;
    if (size === 0) {
      const end = bytes.indexOf('\r\n', data);
      return { body: Buffer.concat(parts), next: end < 0 ? bytes.length : end + 2, whole: end >= 0 };
    }
    parts.push(bytes.subarray(data, data + size));
    if (data + size + 2 > bytes.length) return { body: Buffer.concat(parts), next: bytes.length, whole: false };
    at = data + size + 2;
  }
}

export interface Problem {
  readonly code: string | null;
  readonly type: string;
  readonly message: string;
  readonly param: string | null;
}

/** The error of an answer in OpenAI's shape. */
export function problemOf(answer: WireAnswer | undefined): Problem {
  return jsonOf<{ error: Problem }>(answer?.body.toString() ?? '').error;
}

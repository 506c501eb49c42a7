import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { LogEntry } from '../../../src/router/log.js';
import { startRouter } from '../../../src/router/router.js';
import type { Router } from '../../../src/router/router.js';
import { allOn, putSplit, testConfig, TOKEN } from '../helpers/router-fixture.js';
import type { ConfigChange } from '../helpers/router-fixture.js';

/** A request as it stood on the wire of an upstream. */
export interface WireRequest {
  /** Request line and headers, without the blank line. */
  readonly head: string;
  readonly body: Buffer;
  readonly socket: Socket;
}

export type Script = (request: WireRequest) => void;

/** An upstream that speaks bytes: what it says is scripted, be it HTTP or not. */
export interface WireUpstream {
  readonly url: string;
  readonly seen: WireRequest[];
  script(script: Script): void;
  close(): Promise<void>;
}

/** Answers with the bytes as they are, and leaves the connection as it is. */
export function says(bytes: string | Buffer): Script {
  return ({ socket }) => void socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
}

export const JSON_ANSWER =
  '{"id":"chatcmpl-1","object":"chat.completion","model":"m","choices":[{"index":0,"message":{"role":"assistant","content":"hi"},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":1}}';

export function jsonAnswer(body: string | Buffer = JSON_ANSWER, status = '200 OK', headers = ''): Buffer {
  const bytes = Buffer.from(body);
  const head = `HTTP/1.1 ${status}\r\ncontent-type: application/json\r\ncontent-length: ${bytes.length}\r\n${headers}\r\n`;
  return Buffer.concat([Buffer.from(head, 'latin1'), bytes]);
}

/** A chunked answer, one chunk for each piece. */
export function chunked(pieces: readonly (string | Buffer)[], contentType = 'text/event-stream'): Buffer {
  const head = `HTTP/1.1 200 OK\r\ncontent-type: ${contentType}\r\ntransfer-encoding: chunked\r\n\r\n`;
  const parts = pieces.flatMap((piece) => {
    const bytes = Buffer.from(piece);
    return [Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')];
  });
  return Buffer.concat([Buffer.from(head), ...parts, Buffer.from('0\r\n\r\n')]);
}

async function startWireUpstream(): Promise<WireUpstream> {
  const ordinary = says(jsonAnswer());
  let script = ordinary;
  const seen: WireRequest[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    socket.on('error', () => undefined);
    let pending: Buffer = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      for (let request = takeRequest(pending, socket); request !== null; request = takeRequest(pending, socket)) {
        pending = pending.subarray(Buffer.byteLength(request.head, 'latin1') + 4 + request.body.length);
        seen.push(request);
        script(request);
      }
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    seen,
    script: (next) => {
      script = next;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** The router frames what it sends by content-length. */
function takeRequest(bytes: Buffer, socket: Socket): WireRequest | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return null;
  const head = bytes.toString('latin1', 0, end);
  const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
  if (bytes.length < end + 4 + length) return null;
  return { head, body: bytes.subarray(end + 4, end + 4 + length), socket };
}

export interface Harness {
  readonly router: Router;
  readonly upstream: WireUpstream;
  readonly log: LogEntry[];
  close(): Promise<void>;
}

/** One router, one scripted upstream behind both variants, the candidate at 100% of a split in force. */
export async function startHarness(change: ConfigChange = (config) => config, env = {}): Promise<Harness> {
  const upstream = await startWireUpstream();
  const stateDirectory = await mkdtemp(path.join(tmpdir(), 'sluice-conformance-'));
  const log: LogEntry[] = [];
  const router = await startRouter({
    config: change(testConfig({ old: upstream.url, new: upstream.url })),
    env: { SLUICE_ADMIN_TOKEN: TOKEN, ...env },
    replica: 'replica-1',
    stateDirectory,
    log: (entry) => log.push(entry),
    limits: { drainGraceMs: 0 },
  });
  const split = allOn('candidate');
  await putSplit(router, { ...split, metering: { ...split.metering, requestTimeoutMs: 10_000, intervalMs: 1_000 } });
  return {
    router,
    upstream,
    log,
    close: async () => {
      await router.close();
      await upstream.close();
      await rm(stateDirectory, { recursive: true, force: true });
    },
  };
}

const BODY = '{"model":"support","messages":[{"role":"user","content":"hello"}]}';

/** A request that ends its connection, so that whoever reads to the end has its answer. */
export function post(body: string = BODY, headers = '', target = '/v1/chat/completions'): string {
  return `POST ${target} HTTP/1.1\r\nhost: router\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body, 'latin1')}\r\n${headers}\r\n${body}`;
}

import { once } from 'node:events';
import { connect } from 'node:net';
import { request } from 'undici';
import { describe, expect, test } from 'vitest';
import { deferred } from './helpers/deferred.js';
import {
  allOn,
  chat,
  jsonOf,
  putSplit,
  readEvidence,
  recordsOf,
  ROUTE,
  startFixture,
} from './helpers/router-fixture.js';
import type { RouterFixture } from './helpers/router-fixture.js';
import { answerStream, startUpstream } from './helpers/upstream-server.js';
import type { SeenRequest, TestUpstream } from './helpers/upstream-server.js';

async function start(): Promise<RouterFixture & { fresh: TestUpstream }> {
  const [old, fresh] = await Promise.all([startUpstream(), startUpstream()]);
  const fixture = await startFixture({ urls: { old: old.url, new: fresh.url } });
  await putSplit(fixture.router, allOn('candidate'));
  return { ...fixture, fresh };
}

const TOKENS = [
  'data: {"choices":[{"delta":{"role":"assistant"}}]}\n\n',
  'data: {"choices":[{"delta":{"content":"hé"}}]}\n\n',
];
const STOP = 'data: {"choices":[{"delta":{},"finish_reason":"stop"}]}\n\n';
const USAGE =
  'data: {"choices":[],"usage":{"prompt_tokens":40,"completion_tokens":7,"prompt_tokens_details":{"cached_tokens":10}}}\n\n';
const DONE = 'data: [DONE]\n\n';

describe('a stream', () => {
  test('comes byte for byte without the usage that the client did not ask for, which is counted', async () => {
    const { router, clock, fresh } = await start();
    fresh.behave(answerStream([...TOKENS, STOP, USAGE, DONE]));
    const answer = await chat(router, { body: { model: ROUTE, stream: true } });
    expect(answer.text).toBe([...TOKENS, STOP, DONE].join(''));
    expect(answer.headers['content-type']).toBe('text/event-stream');
    expect(jsonOf(fresh.seen[0]?.body ?? '')).toMatchObject({ stream_options: { include_usage: true } });
    clock.advance(1_000);
    const [record] = recordsOf(await readEvidence(router), 'served', 'candidate');
    expect(record?.tokens).toEqual({ prompt: 40, cached: 10, completion: 7, responses: 1 });
  });

  test('comes whole to a client that asked for usage', async () => {
    const { router, fresh } = await start();
    fresh.behave(answerStream([...TOKENS, STOP, USAGE, DONE]));
    const answer = await chat(router, {
      body: { model: ROUTE, stream: true, stream_options: { include_usage: true } },
    });
    expect(answer.text).toBe([...TOKENS, STOP, USAGE, DONE].join(''));
  });

  test('flows: headers come before the first token, and each token when it is there', async () => {
    const { router, clock, fresh } = await start();
    const writing = deferred<(text: string) => void>();
    fresh.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.flushHeaders();
      writing.resolve((text) => (text === '' ? response.end() : response.write(text)));
    });
    const answer = await request(`${router.publicUrl}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: ROUTE, stream: true }),
    });
    const write = await writing.promise;
    const pieces = answer.body[Symbol.asyncIterator]();
    clock.advance(120);
    for (const token of TOKENS) {
      write(token);
      expect(String((await pieces.next()).value)).toBe(token);
    }
    clock.advance(500);
    write(STOP + USAGE + DONE);
    expect(String((await pieces.next()).value)).toBe(STOP + DONE);
    write('');
    expect((await pieces.next()).done).toBe(true);
    clock.advance(1_000);
    const [record] = recordsOf(await readEvidence(router), 'served', 'candidate');
    // ⌈ln(120/0.001)/ln(1.2^0.1)⌉ and ⌈ln(620/0.001)/ln(1.2^0.1)⌉
    expect(record?.histograms['ttft_p50']?.counts).toEqual({ 642: 1 });
    expect(record?.histograms['latency_p50']?.counts).toEqual({ 732: 1 });
    expect(record?.buckets['latency_p95']).toMatchObject({
      events: { [Object.keys(record?.buckets['latency_p95']?.trials ?? {})[0] ?? '']: 1 },
    });
  });
});

describe('a client that goes away', () => {
  /** Starts a request and leaves when the upstream has begun to answer. */
  async function leave(
    fixture: RouterFixture & { fresh: TestUpstream },
  ): Promise<{ closed: Promise<unknown>; seen: SeenRequest }> {
    const { router, fresh, clock } = fixture;
    const closing = deferred<unknown>();
    const begun = deferred<SeenRequest>();
    fresh.behave((seen, response, raw) => {
      raw.socket.once('close', () => closing.resolve(undefined));
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(TOKENS[0]);
      begun.resolve(seen);
    });
    const abort = new AbortController();
    const answer = await request(`${router.publicUrl}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify({ model: ROUTE, stream: true }),
      signal: abort.signal,
    });
    answer.body.on('error', () => undefined);
    const seen = await begun.promise;
    clock.advance(300);
    abort.abort();
    return { closed: closing.promise, seen };
  }

  test('ends the upstream’s request, and is a trial without event whose latency is the time it ran', async () => {
    const fixture = await start();
    const { closed } = await leave(fixture);
    await closed;
    fixture.clock.advance(1_000);
    const [record] = recordsOf(await readEvidence(fixture.router), 'served', 'candidate');
    expect(record).toMatchObject({
      started: 1,
      completed: 0,
      aborted: 1,
      error: { trials: 1, events: 0 },
      errorsByClass: {},
    });
    // ⌈ln(300/0.001)/ln(1.2^0.1)⌉
    expect(record?.histograms['latency_p50']?.counts).toEqual({ 692: 1 });
    expect(record?.tokens.responses).toBe(0);
  });

  test('before its body is whole is no trial at all', async () => {
    const { router, clock, fresh } = await start();
    const { port } = new URL(router.publicUrl);
    const socket = connect(Number(port), '127.0.0.1');
    await once(socket, 'connect');
    socket.end('POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{"model":"support"');
    await once(socket.resume(), 'close');
    clock.advance(1_000);
    expect((await readEvidence(router)).records).toEqual([]);
    expect(fresh.seen).toHaveLength(0);
  });
});

import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { request } from 'undici';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  allOn,
  canarySplit,
  chat,
  jsonOf,
  putSplit,
  readEvidence,
  recordsOf,
  ROUTE,
  startFixture,
} from './helpers/router-fixture.js';
import type { RouterFixture } from './helpers/router-fixture.js';
import { answerStatus, answerStream, chatBody, sendJson, startUpstream } from './helpers/upstream-server.js';
import type { Behaviour, TestUpstream } from './helpers/upstream-server.js';

const STREAM = { model: ROUTE, stream: true, messages: [] };
const METERING = canarySplit().metering;

/** Long enough for any answer that comes. */
const AMPLE_MS = 30_000;
/** For what never comes. */
const SHORT_MS = 60;

/** Everyone on the candidate. */
async function start(requestTimeoutMs = AMPLE_MS): Promise<RouterFixture & { fresh: TestUpstream }> {
  const [old, fresh] = await Promise.all([startUpstream(), startUpstream()]);
  const fixture = await startFixture({ urls: { old: old.url, new: fresh.url } });
  await putSplit(fixture.router, allOn('candidate', { metering: { ...METERING, requestTimeoutMs } }));
  return { ...fixture, fresh };
}

/** What the one request of the test was counted as. */
async function classOf({ router, clock }: RouterFixture): Promise<unknown> {
  clock.advance(1_000);
  const [record, ...more] = recordsOf(await readEvidence(router), 'served', 'candidate');
  expect(more).toHaveLength(0);
  expect(record).toMatchObject({ started: 1, completed: 1, aborted: 0, late: 0 });
  expect(record?.error.trials).toBe(1);
  expect(record?.error.events).toBe(Object.keys(record?.errorsByClass ?? {}).length);
  return record?.errorsByClass;
}

const html: Behaviour = (_request, response) => {
  response.writeHead(200, { 'content-type': 'text/html' });
  response.end('<html>hello</html>');
};

describe('an answer that is an answer', () => {
  test.each<[string, Behaviour, unknown, number, unknown]>([
    ['200 with a body', (_request, response) => sendJson(response, 200, chatBody('hi')), undefined, 200, {}],
    ['500', answerStatus(500), undefined, 500, { model: 1 }],
    ['503 for a stream', answerStatus(503), STREAM, 503, { model: 1 }],
    ['429', answerStatus(429), undefined, 429, { 'rate-limit': 1 }],
    ['400', answerStatus(400), undefined, 400, { refused: 1 }],
    ['404', answerStatus(404), undefined, 404, { refused: 1 }],
    [
      '200 with an error inside',
      (_request, response) => sendJson(response, 200, { error: { message: 'oh' } }),
      undefined,
      200,
      { broken: 1 },
    ],
    ['200 with what is no JSON', html, undefined, 200, { broken: 1 }],
    ['a stream with its end', answerStream(['data: {"choices":[]}\n\n', 'data: [DONE]\n\n']), STREAM, 200, {}],
    ['a stream without its end', answerStream(['data: {"choices":[]}\n\n']), STREAM, 200, { broken: 1 }],
    [
      'a stream with an error event',
      answerStream(['data: {"error":{"message":"oh"}}\n\n', 'data: [DONE]\n\n']),
      STREAM,
      200,
      { broken: 1 },
    ],
    [
      'a stream that was not asked for',
      answerStream(['data: {"choices":[]}\n\n', 'data: [DONE]\n\n']),
      undefined,
      200,
      {},
    ],
  ])('%s', async (_name, behaviour, body, status, classes) => {
    const fixture = await start();
    fixture.fresh.behave(behaviour);
    expect((await chat(fixture.router, { body })).status).toBe(status);
    expect(await classOf(fixture)).toEqual(classes);
  });
});

describe('an upstream that gives no answer', () => {
  /** A server that speaks bytes, not HTTP. */
  async function raw(onConnection: (socket: Socket) => void): Promise<string> {
    const server: Server = createServer(onConnection).listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const address = server.address();
    if (typeof address !== 'object' || address === null) throw new Error('no port');
    return `http://127.0.0.1:${address.port}/v1`;
  }

  async function startWith(url: string): Promise<RouterFixture> {
    const fixture = await startFixture({ urls: { old: url, new: url } });
    await putSplit(fixture.router, allOn('candidate', { metering: { ...METERING, requestTimeoutMs: AMPLE_MS } }));
    return fixture;
  }

  async function problemOf(fixture: RouterFixture): Promise<{ status: number; code: string; variant: unknown }> {
    const answer = await chat(fixture.router);
    const { error } = jsonOf<{ error: { code: string; message: string } }>(answer.text);
    expect(error.message).toMatch(/upstream new/);
    return { status: answer.status, code: error.code, variant: answer.headers['x-sluice-variant'] };
  }

  test('refuses connections: 502, connect', async () => {
    const fixture = await start();
    await fixture.fresh.close();
    expect(await problemOf(fixture)).toEqual({ status: 502, code: 'upstream-connect', variant: 'candidate' });
    expect(await classOf(fixture)).toEqual({ connect: 1 });
  });

  test('hangs: 504, timeout, and its latency is the limit', async () => {
    const fixture = await start(SHORT_MS);
    fixture.fresh.behave(() => undefined);
    expect(await problemOf(fixture)).toEqual({ status: 504, code: 'upstream-timeout', variant: 'candidate' });
    fixture.clock.advance(1_000);
    const [record] = recordsOf(await readEvidence(fixture.router), 'served', 'candidate');
    expect(record?.errorsByClass).toEqual({ timeout: 1 });
    // ⌈ln(60/0.001)/ln(1.2^0.1)⌉
    expect(record?.histograms['latency_p50']?.counts).toEqual({ 604: 1 });
  });

  test('closes before its answer: 502, broken', async () => {
    const fixture = await startWith(await raw((socket) => socket.once('data', () => socket.end())));
    expect(await problemOf(fixture)).toEqual({ status: 502, code: 'upstream-broken', variant: 'candidate' });
    expect(await classOf(fixture)).toEqual({ broken: 1 });
  });

  test('answers what is no HTTP: 502, broken', async () => {
    const fixture = await startWith(
      await raw((socket) => socket.once('data', () => socket.end('garbage garbage\r\n\r\n'))),
    );
    expect(await problemOf(fixture)).toEqual({ status: 502, code: 'upstream-broken', variant: 'candidate' });
    expect(await classOf(fixture)).toEqual({ broken: 1 });
  });

  test.each([
    [
      'resets in the middle of a stream',
      'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n5\r\ndata:\r\n',
    ],
    [
      'ends before the length that it promised',
      'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{"a":',
    ],
  ])('%s: the client sees no proper end, broken', async (_name, bytes) => {
    const fixture = await startWith(
      await raw((socket) =>
        socket.once('data', () => {
          socket.write(bytes, () => socket.destroy());
        }),
      ),
    );
    await expect(chat(fixture.router, { body: { model: ROUTE, stream: true } })).rejects.toThrow(/closed|terminated/);
    expect(await classOf(fixture)).toEqual({ broken: 1 });
  });

  test('a stream that stops is cut off at the limit, timeout', async () => {
    const fixture = await start(SHORT_MS);
    fixture.fresh.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"choices":[]}\n\n');
    });
    const answer = await request(`${fixture.router.publicUrl}/v1/chat/completions`, {
      method: 'POST',
      body: JSON.stringify(STREAM),
    });
    expect(answer.statusCode).toBe(200);
    await expect(answer.body.text()).rejects.toThrow(/closed|terminated/);
    expect(await classOf(fixture)).toEqual({ timeout: 1 });
  });
});

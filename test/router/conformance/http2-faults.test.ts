import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { constants, createSecureServer } from 'node:http2';
import type { Http2ServerResponse, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { temporaryDirectory } from '../helpers/router-fixture.js';
import { JSON_ANSWER, post, startHarness } from './harness.js';
import { classesOf } from './metrics-reading.js';
import { exchange } from './raw-client.js';
import type { WireAnswer } from './raw-client.js';
import { selfSigned } from './self-signed.js';

type Say = (stream: ServerHttp2Stream, response: Http2ServerResponse, connection: Socket | undefined) => void;

/** What a client gets through the router from an upstream that speaks HTTP/2 and says this, and how it is counted. */
async function answerTo(
  say: Say,
  body?: string,
): Promise<{ answer: WireAnswer | undefined; classes: Record<string, number> }> {
  const identity = selfSigned();
  let connection: Socket | undefined;
  const server = createSecureServer(identity, (request, response) => {
    request.resume();
    request.once('end', () => say(response.stream, response, connection));
  }).listen(0, '127.0.0.1');
  server.on('connection', (socket: Socket) => {
    connection = socket;
  });
  server.on('session', (session) => {
    session.on('error', () => undefined);
    onTestFinished(() => session.destroy());
  });
  onTestFinished(() => void server.close());
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  const caFile = path.join(await temporaryDirectory(), 'ca.pem');
  await writeFile(caFile, identity.cert);
  const url = `https://127.0.0.1:${address.port}/v1`;
  const harness = await startHarness((config) => ({
    ...config,
    upstreams: new Map(
      [...config.upstreams].map(([name, upstream]) => [name, { ...upstream, url, caFile, http2: true }]),
    ),
  }));
  onTestFinished(() => harness.close());
  let answer: WireAnswer | undefined;
  const classes = await classesOf(harness.router, async () => {
    [answer] = await exchange(harness.router.publicUrl, post(body));
  });
  return { answer, classes };
}

const STREAM = '{"model":"support","stream":true}';

describe('an upstream that speaks HTTP/2', () => {
  test.each<[name: string, say: Say]>([
    ['whole', (_stream, response) => void response.end(JSON_ANSWER)],
    [
      'with its length',
      (_stream, response) => void response.writeHead(200, { 'content-length': JSON_ANSWER.length }).end(JSON_ANSWER),
    ],
    [
      'with trailers',
      (_stream, response) => {
        response.addTrailers({ 'x-sum': '1' });
        response.write(JSON_ANSWER);
        response.end();
      },
    ],
  ])('answers %s', async (_name, say) => {
    const { answer, classes } = await answerTo(say);
    expect(answer).toMatchObject({ status: 200, whole: true });
    expect(answer?.body.toString()).toBe(JSON_ANSWER);
    expect(classes).toEqual({ complete: 1 });
  });

  test('streams', async () => {
    const said = 'data: {"choices":[{"delta":{"content":"é"}}]}\n\ndata: [DONE]\n\n';
    const { answer } = await answerTo((_stream, response) => {
      response.setHeader('content-type', 'text/event-stream');
      for (const byte of Buffer.from(said)) response.write(Buffer.from([byte]));
      response.end();
    }, STREAM);
    expect(answer?.body.toString()).toBe(said);
  });

  test.each<[name: string, say: Say]>([
    ['resets its stream before the answer', (stream) => stream.close(constants.NGHTTP2_INTERNAL_ERROR)],
    ['refuses its stream', (stream) => stream.close(constants.NGHTTP2_REFUSED_STREAM)],
    ['ends its session before the answer', (stream) => stream.session?.destroy()],
    ['cuts its connection before the answer', (_stream, _response, connection) => connection?.destroy()],
    [
      'resets its stream in the body',
      (stream, response) => void response.write('{"a":', () => stream.close(constants.NGHTTP2_INTERNAL_ERROR)),
    ],
    [
      'ends its session in the body',
      (stream, response) => void response.write('{"a":', () => stream.session?.destroy()),
    ],
    [
      'sends less than its length',
      (_stream, response) => void response.writeHead(200, { 'content-length': 500 }).end('{"a":1}'),
    ],
    [
      'sends more than its length',
      (_stream, response) => void response.writeHead(200, { 'content-length': 3 }).end('{"a":1}'),
    ],
  ])('and %s never looks whole', async (_name, say) => {
    const { answer, classes } = await answerTo(say);
    expect(answer?.status === 502 || answer?.whole === false).toBe(true);
    expect(classes).toEqual({ broken: 1 });
  });
});

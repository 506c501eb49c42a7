import { brotliCompressSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chunked, jsonAnswer, JSON_ANSWER, post, says, startHarness } from './harness.js';
import type { Harness } from './harness.js';
import { exchange } from './raw-client.js';
import type { WireAnswer } from './raw-client.js';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());
beforeEach(() => {
  harness.upstream.seen.length = 0;
});

async function answerTo(upstreamSays: string | Buffer, request = post()): Promise<WireAnswer | undefined> {
  harness.upstream.script(({ socket }) =>
    socket.end(typeof upstreamSays === 'string' ? Buffer.from(upstreamSays, 'latin1') : upstreamSays),
  );
  const answers = await exchange(harness.router.publicUrl, request);
  expect(answers).toHaveLength(1);
  return answers[0];
}

const OK = 'HTTP/1.1 200 OK\r\n';
const LENGTH = `content-length: ${JSON_ANSWER.length}\r\n`;

describe('an answer that passes', () => {
  const PASSED: readonly (readonly [
    name: string,
    said: string | Buffer,
    status: number,
    headers: Record<string, string>,
    body: string | Buffer,
  ])[] = [
    [
      '429 with Retry-After',
      jsonAnswer('{"error":{}}', '429 Too Many Requests', 'retry-after: 7\r\nx-ratelimit-remaining-tokens: 0\r\n'),
      429,
      { 'retry-after': '7', 'x-ratelimit-remaining-tokens': '0' },
      '{"error":{}}',
    ],
    [
      '503 with a date in Retry-After',
      jsonAnswer('{}', '503 Busy', 'retry-after: Fri, 31 Dec 2027 23:59:59 GMT\r\n'),
      503,
      { 'retry-after': 'Fri, 31 Dec 2027 23:59:59 GMT' },
      '{}',
    ],
    [
      'an error of the upstream in its own shape',
      jsonAnswer('{"detail":"no"}', '422 Unprocessable'),
      422,
      {},
      '{"detail":"no"}',
    ],
    [
      'an upstream that wants other credentials',
      jsonAnswer('{}', '401 Unauthorized', 'www-authenticate: Bearer realm="x"\r\n'),
      401,
      { 'www-authenticate': 'Bearer realm="x"' },
      '{}',
    ],
    ['500', jsonAnswer('oops', '500 Oops'), 500, {}, 'oops'],
    [
      'a redirect, which nobody follows',
      jsonAnswer('', '307 Temporary', 'location: http://127.0.0.1:1/v1/elsewhere\r\n'),
      307,
      { location: 'http://127.0.0.1:1/v1/elsewhere' },
      '',
    ],
    ['204', 'HTTP/1.1 204 No Content\r\n\r\n', 204, {}, ''],
    ['304', 'HTTP/1.1 304 Not Modified\r\netag: "a"\r\n\r\n', 304, { etag: '"a"' }, ''],
    ['201', jsonAnswer('{}', '201 Created'), 201, {}, '{}'],
    ['a status beyond those that are known', jsonAnswer('{}', '299 Odd'), 299, {}, '{}'],
    ['an empty body', `${OK}content-length: 0\r\n\r\n`, 200, { 'content-length': '0' }, ''],
    ['chunks', chunked([JSON_ANSWER.slice(0, 50), JSON_ANSWER.slice(50)], 'application/json'), 200, {}, JSON_ANSWER],
    [
      'trailers, which are left out',
      `${OK}transfer-encoding: chunked\r\ntrailer: x-sum\r\n\r\n2\r\n{}\r\n0\r\nx-sum: 1\r\n\r\n`,
      200,
      {},
      '{}',
    ],
    [
      '103 before it',
      `HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n${OK}${LENGTH}\r\n${JSON_ANSWER}`,
      200,
      {},
      JSON_ANSWER,
    ],
    [
      'gzip',
      (() => {
        const body = gzipSync(JSON_ANSWER);
        return Buffer.concat([
          Buffer.from(`${OK}content-encoding: gzip\r\ncontent-length: ${body.length}\r\n\r\n`),
          body,
        ]);
      })(),
      200,
      { 'content-encoding': 'gzip' },
      gzipSync(JSON_ANSWER),
    ],
    [
      'br, chunked',
      (() => {
        const body = brotliCompressSync(JSON_ANSWER);
        return Buffer.concat([
          Buffer.from(`${OK}content-encoding: br\r\ntransfer-encoding: chunked\r\n\r\n${body.length.toString(16)}\r\n`),
          body,
          Buffer.from('\r\n0\r\n\r\n'),
        ]);
      })(),
      200,
      { 'content-encoding': 'br' },
      brotliCompressSync(JSON_ANSWER),
    ],
    [
      'sound',
      Buffer.concat([
        Buffer.from(`${OK}content-type: audio/mpeg\r\ncontent-length: 256\r\n\r\n`),
        Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
      ]),
      200,
      { 'content-type': 'audio/mpeg' },
      Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)),
    ],
    [
      'header values beyond ASCII',
      `${OK}x-model: mod\xe9le\r\n${LENGTH}\r\n${JSON_ANSWER}`,
      200,
      { 'x-model': 'mod\xe9le' },
      JSON_ANSWER,
    ],
    [
      'cookies, each by itself',
      `${OK}set-cookie: a=1\r\nset-cookie: b=2\r\n${LENGTH}\r\n${JSON_ANSWER}`,
      200,
      { 'set-cookie': 'a=1, b=2' },
      JSON_ANSWER,
    ],
    [
      'a content-type that came twice',
      `${OK}content-type: application/json\r\ncontent-type: application/json\r\n${LENGTH}\r\n${JSON_ANSWER}`,
      200,
      {},
      JSON_ANSWER,
    ],
    [
      'a whole body that ends with its connection',
      `${OK}content-type: application/json\r\n\r\n${JSON_ANSWER}`,
      200,
      {},
      JSON_ANSWER,
    ],
    ['HTTP/1.0', `HTTP/1.0 200 OK\r\n${LENGTH}\r\n${JSON_ANSWER}`, 200, {}, JSON_ANSWER],
    [
      'more bytes than it promised, without them',
      `${OK}content-length: 2\r\n\r\n{}HTTP/1.1 200 OK\r\n\r\nforged`,
      200,
      { 'content-length': '2' },
      '{}',
    ],
  ];

  test.each(PASSED)('%s', async (_name, said, status, headers, body) => {
    const answer = await answerTo(said);
    expect(answer).toMatchObject({ status, headers, whole: true });
    expect(answer?.body).toEqual(Buffer.from(body));
    expect(answer?.headers['x-sluice-variant']).toBe('candidate');
    expect(answer?.headers['x-sluice-request-id']).toMatch(/^sl1\./);
    expect(harness.upstream.seen).toHaveLength(1);
  });

  test('to HEAD has the headers and no body', async () => {
    harness.upstream.script(says(`${OK}content-length: 500\r\nconnection: close\r\n\r\n`));
    const head = 'HEAD /v1/files/x HTTP/1.1\r\nhost: router\r\nx-sluice-route: support\r\nconnection: close\r\n\r\n';
    const [answer] = await exchange(harness.router.publicUrl, head);
    expect(answer).toMatchObject({ status: 200, headers: { 'content-length': '500' }, body: Buffer.alloc(0) });
  });
});

describe('headers of one connection', () => {
  const HOPS = [
    'keep-alive: timeout=9',
    'proxy-connection: keep-alive',
    'te: trailers',
    'trailer: x-t',
    'proxy-authorization: Basic eA==',
    'proxy-authenticate: Basic',
    'upgrade: h2c',
    'x-named: 1',
    'x-second: 2',
  ];

  test('never reach the upstream, those named in Connection neither', async () => {
    await answerTo(
      jsonAnswer(),
      post(undefined, `${HOPS.join('\r\n')}\r\nconnection: x-named, X-Second , te\r\nx-kept: 3\r\n`),
    );
    const head = harness.upstream.seen[0]?.head ?? '';
    for (const hop of HOPS) expect(head.toLowerCase()).not.toContain(`\n${hop.split(':')[0] ?? ''}:`);
    expect(head).toContain('x-kept: 3');
  });

  test.each(['connection: x-named, X-Second', 'connection: x-named\r\nconnection: x-second'])(
    'never reach the client: %s',
    async (connection) => {
      const answer = await answerTo(
        jsonAnswer(JSON_ANSWER, '200 OK', `${HOPS.join('\r\n')}\r\n${connection}\r\nx-kept: 3\r\n`),
      );
      expect(answer).toMatchObject({ status: 200, headers: { 'x-kept': '3' } });
      const names = Object.keys(answer?.headers ?? {});
      for (const hop of HOPS)
        expect(names.filter((name) => name !== 'keep-alive' || answer?.headers[name] === 'timeout=9')).not.toContain(
          hop.split(':')[0],
        );
    },
  );

  test('of the router cannot be forged by either side', async () => {
    const forged = 'x-sluice-variant: stable\r\nx-sluice-request-id: forged\r\nX-Sluice-Anything: 1\r\n';
    const answer = await answerTo(jsonAnswer(JSON_ANSWER, '200 OK', forged), post(undefined, forged));
    expect(harness.upstream.seen[0]?.head).not.toMatch(/x-sluice/i);
    expect(answer?.headers['x-sluice-variant']).toBe('candidate');
    expect(answer?.headers).not.toHaveProperty('x-sluice-anything');
  });

  test('and what Connection names cannot take a header of the configuration away', async () => {
    await answerTo(jsonAnswer(), post(undefined, 'connection: host, content-length, accept-encoding\r\n'));
    expect(harness.upstream.seen[0]?.head).toMatch(/^host: 127\.0\.0\.1:\d+$/im);
    expect(harness.upstream.seen[0]?.head).toMatch(/^accept-encoding: identity$/im);
  });
});

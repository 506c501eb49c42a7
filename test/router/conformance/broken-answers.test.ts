import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { JSON_ANSWER, post, startHarness } from './harness.js';
import type { Harness } from './harness.js';
import { exchange, problemOf } from './raw-client.js';
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

describe('an answer that is none', () => {
  const BROKEN: readonly (readonly [name: string, said: string])[] = [
    ['nothing', ''],
    ['no HTTP', 'garbage\r\n\r\n'],
    ['a status of two digits', 'HTTP/1.1 20 OK\r\n\r\n'],
    ['a status below all classes', `HTTP/1.1 099 Odd\r\n${LENGTH}\r\n${JSON_ANSWER}`],
    // The HTTP client takes a 100 that was not asked for as broken; no model server is known to send one.
    ['100 that nobody asked for', `HTTP/1.1 100 Continue\r\n\r\n${OK}${LENGTH}\r\n${JSON_ANSWER}`],
    ['only 100', 'HTTP/1.1 100 Continue\r\n\r\n'],
    [
      'a switch of protocols that nobody asked for',
      'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n',
    ],
    ['headers that are cut off', `${OK}content-le`],
    ['headers without end', `${OK}${'x-a: 1\r\n'.repeat(20_000)}`],
    ['a NUL in a header', `${OK}x-a: \0\r\n${LENGTH}\r\n${JSON_ANSWER}`],
    ['two lengths that differ', `${OK}${LENGTH}content-length: 5\r\n\r\n${JSON_ANSWER}`],
    ['a length that is no number', `${OK}content-length: many\r\n\r\n${JSON_ANSWER}`],
    ['a length and chunks', `${OK}content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`],
    ['a folded header', `${OK}x-a: 1\r\n 2\r\n${LENGTH}\r\n${JSON_ANSWER}`],
    ['a body that is cut off before its first byte', `${OK}content-length: 10\r\n\r\n`],
  ];

  test.each(BROKEN)('%s: 502 in our shape', async (_name, said) => {
    const answer = await answerTo(said);
    expect(answer?.status).toBe(502);
    expect(problemOf(answer)).toMatchObject({ code: 'upstream-broken', type: 'upstream_error' });
    expect(answer?.headers['x-sluice-variant']).toBe('candidate');
  });

  test.each([
    [
      'JSON that ends with its connection too soon',
      `${OK}content-type: application/json\r\n\r\n${JSON_ANSWER.slice(0, -9)}`,
    ],
    [
      'a stream that ends with its connection too soon',
      `${OK}content-type: text/event-stream\r\n\r\ndata: {"choices":[]}\n\n`,
    ],
    ['a chunk that is cut off', `${OK}transfer-encoding: chunked\r\n\r\n50\r\n{"a":`],
    ['a last chunk that never comes', `${OK}transfer-encoding: chunked\r\n\r\n2\r\n{}\r\n`],
    ['a chunk size that is no number', `${OK}transfer-encoding: chunked\r\n\r\n2\r\n{}\r\nzz\r\n`],
    ['a length that is too long', `${OK}content-length: 500\r\n\r\n${JSON_ANSWER}`],
  ])('%s never looks whole', async (_name, said) => {
    const answer = await answerTo(said);
    expect(answer?.status === 502 || answer?.whole === false).toBe(true);
  });
});

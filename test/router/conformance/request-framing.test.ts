import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { jsonAnswer, post, says, startHarness } from './harness.js';
import type { Harness } from './harness.js';
import { exchange, problemOf } from './raw-client.js';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());
beforeEach(() => {
  harness.upstream.seen.length = 0;
  harness.upstream.script(says(jsonAnswer()));
});

const BODY = '{"model":"support"}';
const LENGTH = BODY.length;

function head(...lines: string[]): string {
  return `POST /v1/chat/completions HTTP/1.1\r\n${['host: router', ...lines].join('\r\n')}\r\n\r\n`;
}

/** What lies behind an end that only one of two parsers sees. */
const HIDDEN = 'GET /v1/models HTTP/1.1\r\nhost: router\r\n\r\n';

/** Each must be answered once, with an error, on a connection that ends; nothing of it may reach an upstream. */
const REFUSED: readonly (readonly [name: string, bytes: string, status: number, code: string])[] = [
  [
    'two content-lengths that differ',
    head(`content-length: ${LENGTH}`, 'content-length: 5') + BODY + HIDDEN,
    400,
    'request-malformed',
  ],
  [
    'two content-lengths that agree',
    head(`content-length: ${LENGTH}`, `content-length: ${LENGTH}`) + BODY,
    400,
    'request-malformed',
  ],
  ['a list of content-lengths', head(`content-length: ${LENGTH}, ${LENGTH}`) + BODY, 400, 'request-malformed'],
  ['a content-length with a sign', head(`content-length: +${LENGTH}`) + BODY, 400, 'request-malformed'],
  ['a negative content-length', head('content-length: -1') + BODY, 400, 'request-malformed'],
  ['a content-length in hex', head('content-length: 0x13') + BODY, 400, 'request-malformed'],
  ['a content-length beyond 64 bits', head('content-length: 99999999999999999999999') + BODY, 400, 'request-malformed'],
  ['an empty content-length', head('content-length:') + BODY, 400, 'request-malformed'],
  [
    'content-length and chunked',
    head(`content-length: ${LENGTH}`, 'transfer-encoding: chunked') + `0\r\n\r\n${HIDDEN}`,
    400,
    'request-malformed',
  ],
  [
    'chunked and content-length',
    head('transfer-encoding: chunked', 'content-length: 4') + `0\r\n\r\n${HIDDEN}`,
    400,
    'request-malformed',
  ],
  [
    'a space before the colon of transfer-encoding',
    head('transfer-encoding : chunked', `content-length: ${LENGTH}`) + BODY,
    400,
    'request-malformed',
  ],
  [
    'chunked that is not the last coding',
    head('transfer-encoding: chunked, identity') + `0\r\n\r\n${HIDDEN}`,
    400,
    'request-malformed',
  ],
  ['a coding nobody knows', head('transfer-encoding: xchunked') + `0\r\n\r\n${HIDDEN}`, 501, 'coding-unsupported'],
  [
    'a coding under chunked',
    head('transfer-encoding: gzip, chunked') + `0\r\n\r\n${HIDDEN}`,
    501,
    'coding-unsupported',
  ],
  [
    'chunked twice',
    head('transfer-encoding: chunked', 'transfer-encoding: chunked') + `0\r\n\r\n${HIDDEN}`,
    400,
    'request-malformed',
  ],
  [
    'chunked under HTTP/1.0',
    `POST /v1/chat/completions HTTP/1.0\r\nhost: router\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
    400,
    'request-malformed',
  ],
  ['a folded header', head('x-a: 1\r\n 2', `content-length: ${LENGTH}`) + BODY, 400, 'request-malformed'],
  [
    'a folded transfer-encoding',
    head('transfer-encoding:\r\n chunked') + `0\r\n\r\n${HIDDEN}`,
    400,
    'request-malformed',
  ],
  [
    'a folded first header',
    `POST /v1/chat/completions HTTP/1.1\r\n x: y\r\nhost: router\r\n\r\n`,
    400,
    'request-malformed',
  ],
  [
    'a bare CR in a header',
    head('x-a: 1\rtransfer-encoding: chunked', `content-length: ${LENGTH}`) + BODY,
    400,
    'request-malformed',
  ],
  ['a bare CR for a line end', `POST /v1/chat/completions HTTP/1.1\rhost: router\r\r`, 400, 'request-malformed'],
  [
    'bare LFs for line ends',
    `POST /v1/chat/completions HTTP/1.1\nhost: router\ncontent-length: ${LENGTH}\n\n${BODY}`,
    400,
    'request-malformed',
  ],
  ['a NUL in a header', head('x-a: 1\0', `content-length: ${LENGTH}`) + BODY, 400, 'request-malformed'],
  ['a header without a name', head(': x') + BODY, 400, 'request-malformed'],
  ['a header without a colon', head('nonsense') + BODY, 400, 'request-malformed'],
  ['a chunk size that is no number', head('transfer-encoding: chunked') + 'xyz\r\n', 400, 'request-malformed'],
  ['a chunk size with a prefix', head('transfer-encoding: chunked') + '0x13\r\n', 400, 'request-malformed'],
  ['a negative chunk size', head('transfer-encoding: chunked') + '-1\r\n', 400, 'request-malformed'],
  [
    'a chunk size beyond 64 bits',
    head('transfer-encoding: chunked') + '1ffffffffffffffff\r\n',
    400,
    'request-malformed',
  ],
  [
    'a chunk longer than its size',
    head('transfer-encoding: chunked') + `5\r\n${BODY}\r\n0\r\n\r\n`,
    400,
    'request-malformed',
  ],
  [
    'a chunk size ended by a bare LF',
    head('transfer-encoding: chunked') + `13\n${BODY}\r\n0\r\n\r\n`,
    400,
    'request-malformed',
  ],
  [
    'no host',
    'POST /v1/chat/completions HTTP/1.1\r\nconnection: close\r\ncontent-length: 0\r\n\r\n',
    400,
    'request-malformed',
  ],
  ['two hosts', head('host: other', 'connection: close', `content-length: ${LENGTH}`) + BODY, 400, 'request-malformed'],
  [
    'absolute-form',
    `POST http://upstream/v1/chat/completions HTTP/1.1\r\nhost: router\r\nconnection: close\r\ncontent-length: ${LENGTH}\r\n\r\n${BODY}`,
    400,
    'target-refused',
  ],
  [
    'absolute-form of the right authority',
    `POST http://router/v1/chat/completions HTTP/1.1\r\nhost: router\r\nconnection: close\r\ncontent-length: ${LENGTH}\r\n\r\n${BODY}`,
    400,
    'target-refused',
  ],
  ['CONNECT', 'CONNECT 127.0.0.1:22 HTTP/1.1\r\nhost: 127.0.0.1:22\r\n\r\n', 405, 'method-unknown'],
  ['an unknown method', 'BREW /v1/chat/completions HTTP/1.1\r\nhost: router\r\n\r\n', 400, 'request-malformed'],
  ['a method in lower case', 'post /v1/chat/completions HTTP/1.1\r\nhost: router\r\n\r\n', 400, 'request-malformed'],
  ['TRACE', 'TRACE /v1/chat/completions HTTP/1.1\r\nhost: router\r\nconnection: close\r\n\r\n', 405, 'method-unknown'],
  ['a version that is none', 'POST /v1/chat/completions HTTP/9.9\r\nhost: router\r\n\r\n', 400, 'request-malformed'],
  ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'request-malformed'],
  ['no HTTP at all', '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 400, 'request-malformed'],
  ['headers beyond the limit', head(`x-a: ${'a'.repeat(20_000)}`) + BODY, 431, 'headers-too-large'],
  [
    'a target beyond the limit',
    `GET /v1/${'a'.repeat(20_000)} HTTP/1.1\r\nhost: router\r\n\r\n`,
    431,
    'headers-too-large',
  ],
  [
    'an expectation nobody knows',
    head('expect: the-spanish-inquisition', 'connection: close', `content-length: ${LENGTH}`) + BODY,
    417,
    'expectation-unknown',
  ],
];

describe('a request that could be read in two ways, or in none', () => {
  test.each(REFUSED)('%s is refused', async (_name, bytes, status, code) => {
    const answers = await exchange(harness.router.publicUrl, bytes);
    expect(answers.map((answer) => answer.status)).toEqual([status]);
    const [answer] = answers;
    expect(problemOf(answer)).toMatchObject({ type: 'invalid_request_error', param: null, code });
    expect(answer?.headers).toMatchObject({ 'content-type': 'application/json', connection: 'close' });
    expect(harness.upstream.seen).toEqual([]);
  });

  test.each(REFUSED)('%s is refused by the admin API too', async (_name, bytes, status) => {
    const [answer] = await exchange(harness.router.adminUrl, bytes);
    // Nobody without a token learns more than that.
    expect(answer?.status).toSatisfy((seen) => seen === status || seen === 401);
  });

  test('comes to nothing however its bytes are cut', async () => {
    const bytes = Buffer.from(head(`content-length: ${LENGTH}`, 'transfer-encoding: chunked') + `0\r\n\r\n${HIDDEN}`);
    for (let cut = 1; cut < bytes.length; cut += 7) {
      const answers = await exchange(harness.router.publicUrl, [bytes.subarray(0, cut), bytes.subarray(cut)]);
      expect(answers.map(({ status }) => status)).toEqual([400]);
    }
    expect(harness.upstream.seen).toEqual([]);
  });
});

describe('a request that is unusual and right', () => {
  const ACCEPTED: readonly (readonly [name: string, bytes: string])[] = [
    ['chunked', head('connection: close', 'transfer-encoding: chunked') + `13\r\n${BODY}\r\n0\r\n\r\n`],
    ['Chunked', head('connection: close', 'Transfer-Encoding: Chunked') + `13\r\n${BODY}\r\n0\r\n\r\n`],
    [
      'chunks of one byte',
      head('connection: close', 'transfer-encoding: chunked') +
        Array.from(BODY, (byte) => `1\r\n${byte}\r\n`).join('') +
        '0\r\n\r\n',
    ],
    [
      'chunk sizes with zeros before',
      head('connection: close', 'transfer-encoding: chunked') + `000013\r\n${BODY}\r\n0\r\n\r\n`,
    ],
    [
      'chunk extensions',
      head('connection: close', 'transfer-encoding: chunked') + `13;a=b;c="d"\r\n${BODY}\r\n0;e\r\n\r\n`,
    ],
    [
      'trailers',
      head('connection: close', 'transfer-encoding: chunked', 'trailer: x-sum') +
        `13\r\n${BODY}\r\n0\r\nx-sum: 1\r\nauthorization: Bearer forged\r\n\r\n`,
    ],
    ['a blank line before', `\r\n${post(BODY)}`],
    ['header names in capitals', head('CONNECTION: CLOSE', `CONTENT-LENGTH: ${LENGTH}`) + BODY],
    ['space around a value', head('connection: close', `content-length:   ${LENGTH}  `) + BODY],
    ['HTTP/1.0', `POST /v1/chat/completions HTTP/1.0\r\ncontent-length: ${LENGTH}\r\n\r\n${BODY}`],
    ['no content-type', head('connection: close', `content-length: ${LENGTH}`) + BODY],
    [
      'an upgrade that is not taken',
      head(
        'connection: close, upgrade',
        'upgrade: h2c',
        'http2-settings: AAMAAABkAAQAAP__',
        `content-length: ${LENGTH}`,
      ) + BODY,
    ],
  ];

  test.each(ACCEPTED)('%s is served, framed anew', async (_name, bytes) => {
    const answers = await exchange(harness.router.publicUrl, bytes);
    expect(answers.map(({ status }) => status)).toEqual([200]);
    expect(harness.upstream.seen).toHaveLength(1);
    const [seen] = harness.upstream.seen;
    expect(seen?.body.toString()).toBe(BODY.replace('support', 'new-model'));
    expect(seen?.head).not.toMatch(/^(transfer-encoding|trailer|upgrade|http2-settings|x-sum|authorization):/im);
  });

  test('each, cut anywhere, comes to the same', async () => {
    for (const [, text] of ACCEPTED) {
      const bytes = Buffer.from(text, 'latin1');
      const cut = Math.floor(bytes.length * 0.7);
      const answers = await exchange(harness.router.publicUrl, [
        bytes.subarray(0, 3),
        bytes.subarray(3, cut),
        bytes.subarray(cut),
      ]);
      expect(answers.map(({ status }) => status)).toEqual([200]);
    }
  });
});

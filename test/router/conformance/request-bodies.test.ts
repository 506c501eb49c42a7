import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { request } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { jsonAnswer, JSON_ANSWER, says, startHarness } from './harness.js';
import type { Harness } from './harness.js';
import { jsonOf } from '../helpers/router-fixture.js';
import type { Problem } from './raw-client.js';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness();
});
afterAll(() => harness.close());
beforeEach(() => {
  harness.upstream.seen.length = 0;
  harness.upstream.script(says(jsonAnswer()));
});

interface Call {
  readonly path?: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

interface Answer {
  readonly status: number;
  readonly text: string;
}

async function call({ path = '/v1/chat/completions', method = 'POST', headers = {}, body }: Call): Promise<Answer> {
  const answer = await request(`${harness.router.publicUrl}${path}`, {
    method,
    headers: { 'content-type': 'application/json', ...headers },
    ...(body !== undefined && { body }),
  });
  return { status: answer.statusCode, text: await answer.body.text() };
}

function form(...parts: readonly (readonly [head: string, content: string | Buffer])[]): Buffer {
  const pieces = parts.flatMap(([head, content]) => [
    Buffer.from(`--xYz\r\nContent-Disposition: form-data; ${head}\r\n\r\n`),
    Buffer.from(content),
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([...pieces, Buffer.from('--xYz--\r\n')]);
}

const FORM = { 'content-type': 'multipart/form-data; boundary=xYz' };
const HEADER = { 'x-sluice-route': 'support' };
/** Every byte there is, with a delimiter's beginning in it. */
const AUDIO = Buffer.concat([Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)), Buffer.from('\r\n--xY')]);
const TEXT = 'ünïcode \u{1f600} 北京';

describe('a body that passes byte for byte but for the model', () => {
  const BODIES: readonly (readonly [name: string, body: string])[] = [
    ['white space of all kinds', '\n {\t"model" :\r\n"support" ,"a": 1 } \n'],
    ['multi-byte text', `{"model":"support","messages":[{"role":"user","content":"${TEXT}"}]}`],
    ['an escaped model', '{"model":"suppor\\u0074","a":1}'],
    ['an escaped key', '{"mod\\u0065l":"support","a":1}'],
    ['numbers that no double holds', '{"model":"support","seed":12345678901234567890,"temperature":1.0,"x":1e-400}'],
    ['a nested model', '{"metadata":{"model":"other"},"model":"support"}'],
    [
      'tools',
      '{"model":"support","tools":[{"type":"function","function":{"name":"f","parameters":{"type":"object","properties":{"model":{"type":"string"}}}}}],"tool_choice":"required"}',
    ],
    [
      'structured output',
      '{"model":"support","response_format":{"type":"json_schema","json_schema":{"name":"s","strict":true,"schema":{"type":"object"}}}}',
    ],
    ['n, logprobs and several stops', '{"model":"support","n":4,"logprobs":true,"top_logprobs":5,"stop":["a","\\n"]}'],
    [
      'an image',
      `{"model":"support","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,${'iVBOR'.repeat(20_000)}"}}]}]}`,
    ],
    [
      'sound',
      '{"model":"support","modalities":["text","audio"],"messages":[{"role":"user","content":[{"type":"input_audio","input_audio":{"data":"UklGRg==","format":"wav"}}]}]}',
    ],
    ['a key that occurs twice', '{"model":"support","user":"a","user":"b"}'],
    ['deep nesting', `{"model":"support","x":${'['.repeat(5_000)}${']'.repeat(5_000)}}`],
    ['an unknown member of any shape', '{"model":"support","vendor_option":{"a":[null,true,{"b":"\\\\\\""}]}}'],
  ];

  test.each(BODIES)('%s', async (_name, body) => {
    expect(await call({ body })).toEqual({ status: 200, text: JSON_ANSWER });
    const expected = body.replace(/"(model|mod\\u0065l)"( ?:\r?\n?)"suppor(t|\\u0074)"/, '"$1"$2"new-model"');
    expect(harness.upstream.seen.map((seen) => seen.body.toString())).toEqual([expected]);
  });

  test('each model of a body that has several, whichever the upstream reads', async () => {
    await call({ body: '{"model":"other","model":"support"}' });
    expect(harness.upstream.seen[0]?.body.toString()).toBe('{"model":"new-model","model":"new-model"}');
  });

  test.each([
    '/v1/completions',
    '/v1/embeddings',
    '/v1/responses',
    '/v1/moderations',
    '/v1/rerank',
    '/v1/images/generations',
    '/v1/audio/speech',
  ])('to %s', async (path) => {
    expect((await call({ path, body: '{"model":"support","input":"x"}' })).status).toBe(200);
    expect(harness.upstream.seen[0]?.head).toMatch(new RegExp(`^POST ${path} HTTP/1.1\r\n`));
  });
});

describe('a form', () => {
  const MODEL = ['name="model"', 'support'] as const;
  const FILE = ['name="file"; filename="a.wav"\r\nContent-Type: audio/wav', AUDIO] as const;

  test.each([
    ['with the model first', form(MODEL, FILE), FORM],
    ['with the model last', form(FILE, MODEL), FORM],
    ['with a name that is not quoted', form(['name=model', 'support'], FILE), FORM],
    [
      'with a boundary in quotes',
      form(MODEL, FILE),
      { 'content-type': 'multipart/form-data; charset=utf-8; boundary="xYz"' },
    ],
    ['with an empty part', form(['name="prompt"', ''], MODEL, FILE), FORM],
    ['with a file that is called model', form(['name="model"; filename="m"', 'other'], MODEL), FORM],
    ['with models that differ', form(['name="model"', 'other'], MODEL), FORM],
  ])('%s reaches the route that it names, rewritten there and nowhere else', async (_name, body, headers) => {
    expect((await call({ path: '/v1/audio/transcriptions', body, headers })).status).toBe(200);
    const named = body.toString('latin1').replaceAll(/(name="?model"?\r\n\r\n)\w+/g, '$1new-model');
    expect(harness.upstream.seen[0]?.body.toString('latin1')).toBe(named);
    expect(harness.upstream.seen[0]?.head).toContain(headers['content-type']);
  });

  test('without a model goes where the header says, as it is', async () => {
    const body = form(['name="purpose"', 'batch'], FILE);
    expect((await call({ path: '/v1/files', body, headers: { ...FORM, ...HEADER } })).status).toBe(200);
    expect(harness.upstream.seen[0]?.body).toEqual(body);
    expect(harness.upstream.seen[0]?.head).not.toMatch(/x-sluice/i);
  });
});

describe('a compressed body', () => {
  const PLAIN = `{"model":"support","messages":[{"role":"user","content":"${TEXT}"}]}`;
  const REWRITTEN = PLAIN.replace('support', 'new-model');

  test.each([
    ['gzip', gzipSync(PLAIN)],
    ['GZIP', gzipSync(PLAIN)],
    ['deflate', deflateSync(PLAIN)],
    ['br', brotliCompressSync(PLAIN)],
  ])('in %s is read and sent on in plain', async (encoding, body) => {
    expect((await call({ body, headers: { 'content-encoding': encoding } })).status).toBe(200);
    expect(harness.upstream.seen[0]?.body.toString()).toBe(REWRITTEN);
    expect(harness.upstream.seen[0]?.head).not.toMatch(/content-encoding/i);
  });

  test.each([
    ['gzip', gzipSync(PLAIN)],
    ['br', brotliCompressSync(PLAIN)],
    ['zstd', Buffer.from('(\xb5/\xfd anything', 'latin1')],
  ])('in %s passes as it is to the route that the header names', async (encoding, body) => {
    expect((await call({ body, headers: { ...HEADER, 'content-encoding': encoding } })).status).toBe(200);
    expect(harness.upstream.seen[0]?.body).toEqual(body);
    expect(harness.upstream.seen[0]?.head).toMatch(new RegExp(`^content-encoding: ${encoding}$`, 'm'));
  });
});

describe('the header that names a route', () => {
  test('adds the model that a JSON body lacks not at all: it passes as it is', async () => {
    const body = '{"prompt":"a cat"}';
    await call({ path: '/v1/images/generations', body, headers: HEADER });
    expect(harness.upstream.seen[0]?.body.toString()).toBe(body);
  });

  test('serves calls without a body', async () => {
    expect((await call({ path: '/v1/files?limit=2', method: 'GET', headers: HEADER })).status).toBe(200);
    expect(harness.upstream.seen[0]?.head).toMatch(/^GET \/v1\/files\?limit=2 /);
  });

  test('finds a file again that was made through it, without the header', async () => {
    harness.upstream.script(says(jsonAnswer('{"id":"file-abc","object":"file"}')));
    await call({
      path: '/v1/files',
      body: form(['name="file"; filename="f"', AUDIO]),
      headers: { ...FORM, ...HEADER },
    });
    expect((await call({ path: '/v1/files/file-abc/content', method: 'GET' })).status).toBe(200);
    expect((await call({ path: '/v1/files/file-xyz', method: 'GET' })).status).toBe(404);
    expect((await call({ path: '/v1/files/file-xyz', method: 'DELETE', headers: HEADER })).status).toBe(200);
    expect(harness.upstream.seen.map(({ head }) => head.split(' HTTP')[0])).toEqual([
      'POST /v1/files',
      'GET /v1/files/file-abc/content',
      'DELETE /v1/files/file-xyz',
    ]);
  });
});

describe('what is refused before an upstream hears of it', () => {
  const REFUSED: readonly (readonly [name: string, call: Call, status: number, code: string])[] = [
    ['no body', { headers: { 'content-length': '0' } }, 400, 'model-missing'],
    ['an array', { body: '[{"model":"support"}]' }, 400, 'body-invalid'],
    ['a text', { body: '"support"' }, 400, 'body-invalid'],
    ['JSON that is cut off', { body: '{"model":"support","messages":[' }, 400, 'body-invalid'],
    ['a byte order mark', { body: '\ufeff{"model":"support"}' }, 400, 'body-invalid'],
    ['a model that is a number', { body: '{"model":5}' }, 400, 'model-missing'],
    ['a model that is null', { body: '{"model":null}' }, 400, 'model-missing'],
    ['a model that is empty', { body: '{"model":""}' }, 404, 'route-unknown'],
    ['a model in another case', { body: '{"model":"Support"}' }, 404, 'route-unknown'],
    ['the name of an upstream', { body: '{"model":"new"}' }, 404, 'route-unknown'],
    ['the model of an upstream', { body: '{"model":"new-model"}' }, 404, 'route-unknown'],
    ['a name of JavaScript', { body: '{"model":"__proto__"}' }, 404, 'route-unknown'],
    ['a header that names no route', { body: '{}', headers: { 'x-sluice-route': 'new' } }, 404, 'route-unknown'],
    ['a header beside another model', { body: '{"model":"other"}', headers: HEADER }, 400, 'route-conflict'],
    ['a form without a model', { body: form(['name="a"', '1']), headers: FORM }, 400, 'model-missing'],
    [
      'a form without its boundary',
      { body: form(['name="model"', 'support']), headers: { 'content-type': 'multipart/form-data' } },
      400,
      'body-invalid',
    ],
    ['gzip that is none', { body: 'plain', headers: { 'content-encoding': 'gzip' } }, 400, 'body-invalid'],
    [
      'gzip that is cut off',
      { body: gzipSync('{"model":"support"}').subarray(0, 20), headers: { 'content-encoding': 'gzip' } },
      400,
      'body-invalid',
    ],
    [
      'an encoding nobody knows',
      { body: '{"model":"support"}', headers: { 'content-encoding': 'zstd' } },
      415,
      'encoding-unsupported',
    ],
    [
      'two encodings',
      { body: '{"model":"support"}', headers: { 'content-encoding': 'gzip, br' } },
      415,
      'encoding-unsupported',
    ],
    ['an object of nobody', { path: '/v1/responses/resp_1', method: 'GET' }, 404, 'id-unknown'],
    ['a path outside the API', { path: '/v2/chat/completions', body: '{"model":"support"}' }, 404, 'path-unknown'],
    ['a path that only begins like the API', { path: '/v1evil', body: '{"model":"support"}' }, 404, 'path-unknown'],
    ['the admin API', { path: '/admin/v1/routes', method: 'GET' }, 404, 'path-unknown'],
    ['metrics', { path: '/metrics', method: 'GET' }, 404, 'path-unknown'],
    ['feedback by GET', { path: '/v1/feedback', method: 'GET' }, 405, 'method-unknown'],
  ];

  test.each(REFUSED)('%s', async (_name, refused, status, code) => {
    const answer = await call(refused);
    const { error } = jsonOf<{ error: Problem }>(answer.text);
    expect({ status: answer.status, code: error.code }).toEqual({ status, code });
    expect(error).toMatchObject({ type: 'invalid_request_error' });
    expect(harness.upstream.seen).toEqual([]);
  });

  test('a small body that unpacks beyond the limit', async () => {
    const bomb = gzipSync(Buffer.alloc(65 * 1024 * 1024, ' '));
    const answer = await call({ body: bomb, headers: { 'content-encoding': 'gzip' } });
    expect(jsonOf<{ error: Problem }>(answer.text).error.code).toBe('body-too-large');
    expect(answer.status).toBe(413);
  });
});

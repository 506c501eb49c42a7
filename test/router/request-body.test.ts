import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { objectAt } from '../../src/router/body/json-members.js';
import { bodyFor, readRequestBody } from '../../src/router/body/request-body.js';
import type { RequestBody } from '../../src/router/body/request-body.js';
import type { ApiKind } from '../../src/router/body/api-path.js';
import { jsonOf } from './helpers/router-fixture.js';

function read(text: string, kind: ApiKind = 'chat'): RequestBody {
  const body = readRequestBody(Buffer.from(text), kind);
  if (body === null) throw new Error('not read as an object');
  return body;
}

function forModel(text: string, kind: ApiKind = 'chat', purpose: 'served' | 'mirrored' = 'served'): string {
  return bodyFor(read(text, kind), 'up', purpose).toString();
}

/** JSON text of an object, with white space and escapes as clients may write them. */
const spaced = fc
  .dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue())
  .chain((value) =>
    fc.constantFrom(undefined, 1, '\t', ' \n ').map((indent) => ({ value, text: JSON.stringify(value, null, indent) })),
  );

describe('the scan', () => {
  test('finds the members that JSON.parse finds', () => {
    fc.assert(
      fc.property(spaced, ({ value, text }) => {
        const bytes = Buffer.from(text);
        const object = objectAt(bytes, 0);
        const found = object?.members.map(({ key, valueStart, valueEnd }) => [
          key,
          jsonOf(bytes.toString('utf8', valueStart, valueEnd)),
        ]);
        expect(found).toEqual(Object.entries(jsonOf<object>(text)));
        expect(found).toHaveLength(Object.keys(value).length);
        expect(object?.end).toBe(bytes.length);
      }),
    );
  });

  test('a body that is cut off anywhere is none', () => {
    const text = '{"model":"support","messages":[{"role":"user","content":"a \\"quoted\\\\ one"}],"n":12,"x":null}';
    for (let length = 0; length < text.length; length += 1) {
      expect(readRequestBody(Buffer.from(text.slice(0, length)), 'chat')).toBeNull();
    }
    expect(readRequestBody(Buffer.from(text), 'chat')).not.toBeNull();
  });

  test.each(['', '[]', '"model"', 'null', '{"a"}', '{"a":}', '{,}', '{"a":1,}', '{a:1}'])('%j is no object', (text) => {
    expect(readRequestBody(Buffer.from(text), 'chat')).toBeNull();
  });
});

describe('the model name', () => {
  test('is replaced at the top level and nowhere else, and nothing else changes', () => {
    fc.assert(
      fc.property(spaced, fc.nat(), ({ value, text }, place) => {
        const { model: _model, stream: _stream, store: _store, ...rest } = value;
        const entries = Object.entries(rest);
        entries.splice(place % (entries.length + 1), 0, ['model', 'support']);
        const before = JSON.stringify(Object.fromEntries(entries), null, text.includes('\n') ? 1 : undefined);
        // Integer-like keys move to the front: what counts is the text itself.
        fc.pre(before.split('"support"').length === 2);
        expect(forModel(before, 'other')).toBe(before.replace('"support"', '"up"'));
      }),
    );
  });

  test('is replaced wherever it is repeated, so that no parser sees another', () => {
    expect(forModel('{"model":"a","m\\u006fdel":"b"}')).toBe('{"model":"up","m\\u006fdel":"up"}');
    expect(read('{"model":"a","model":"b"}').model).toBe('b');
  });

  test('the same name leaves the very same bytes', () => {
    const body = read('{"model":"up"}');
    expect(bodyFor(body, 'up', 'served')).toBe(body.bytes);
  });
});

describe('the usage request of a stream', () => {
  test.each([
    [
      'is added',
      '{"model":"up","stream":true}',
      '{"stream_options":{"include_usage":true},"model":"up","stream":true}',
    ],
    [
      'is added to other options',
      '{"model":"up","stream":true,"stream_options":{"x":1}}',
      '{"model":"up","stream":true,"stream_options":{"include_usage":true,"x":1}}',
    ],
    [
      'fills empty options',
      '{"model":"up","stream":true,"stream_options":{ }}',
      '{"model":"up","stream":true,"stream_options":{"include_usage":true}}',
    ],
    [
      'replaces null',
      '{"model":"up","stream":true,"stream_options":null}',
      '{"model":"up","stream":true,"stream_options":{"include_usage":true}}',
    ],
    [
      'replaces a no',
      '{"model":"up","stream":true,"stream_options":{"include_usage":false}}',
      '{"model":"up","stream":true,"stream_options":{"include_usage":true}}',
    ],
  ])('%s', (_name, before, after) => {
    expect(forModel(before)).toBe(after);
    expect(read(before).addsUsage).toBe(true);
  });

  test.each([
    ['a client that asks itself', '{"model":"up","stream":true,"stream_options":{"include_usage":true}}', 'chat'],
    ['a request that does not stream', '{"model":"up","stream":false}', 'chat'],
    ['responses, which say it unasked', '{"model":"up","stream":true}', 'responses'],
  ] as const)('is left alone for %s', (_name, text, kind) => {
    expect(forModel(text, kind)).toBe(text);
    expect(read(text, kind).addsUsage).toBe(false);
  });
});

describe('a mirrored body leaves nothing behind', () => {
  test.each([
    ['chat', '{"model":"up","store":true}', '{"model":"up","store":false}'],
    ['chat', '{"model":"up"}', '{"model":"up"}'],
    ['responses', '{"model":"up"}', '{"store":false,"model":"up"}'],
    ['responses', '{"model":"up","store": true }', '{"model":"up","store": false }'],
    ['responses', '{"model":"up","store":false}', '{"model":"up","store":false}'],
  ] as const)('%s %s', (kind, before, after) => {
    expect(forModel(before, kind, 'mirrored')).toBe(after);
    expect(forModel(before, kind, 'served')).toBe(before);
  });
});

describe('the unit in a body', () => {
  test.each([
    ['safety_identifier first', '{"prompt_cache_key":"c","user":"b","safety_identifier":"a"}', 'a'],
    ['then user', '{"prompt_cache_key":"c","user":"b"}', 'b'],
    ['then prompt_cache_key', '{"prompt_cache_key":"c","metadata":{"user_id":"d"}}', 'c'],
    ['then metadata.user_id', '{"metadata":{"x":1,"user_id":"d"}}', 'd'],
    ['nested users are nobody', '{"messages":[{"user":"x"}],"input":{"user":"y"}}', null],
    ['an empty one is nobody', '{"user":""}', null],
    ['a number is its text', '{"user":17}', '17'],
  ])('%s', (_name, text, unit) => {
    expect(read(text).unit).toBe(unit);
  });
});

describe('server-side ids', () => {
  test.each([
    ['responses', '{"previous_response_id":"resp_1"}', [{ kind: 'chain', id: 'resp_1' }]],
    ['responses', '{"conversation":{"id":"conv_1"}}', [{ kind: 'chain', id: 'conv_1' }]],
    ['responses', '{"conversation":"conv_2"}', [{ kind: 'chain', id: 'conv_2' }]],
    ['responses', '{"prompt":{"id":"pmpt_1"}}', [{ kind: 'stored', id: 'pmpt_1' }]],
    ['responses', '{"tools":[{"vector_store_ids":["vs_1"]}]}', [{ kind: 'stored', id: 'vs_1' }]],
    ['chat', '{"messages":[{"content":[{"file":{"file_id" : "file-1"}}]}]}', [{ kind: 'stored', id: 'file-1' }]],
    ['chat', '{"messages":[{"content":"the key \\"file_id\\":\\"file-1\\""}]}', []],
    ['chat', '{"previous_response_id":null}', []],
    ['completions', '{"prompt":{"id":"x"}}', []],
  ] as const)('%s %s', (kind, text, ids) => {
    expect(read(text, kind).serverSideIds).toEqual(ids);
  });
});

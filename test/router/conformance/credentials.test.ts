import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { jsonOf, TOKEN } from '../helpers/router-fixture.js';
import { jsonAnswer, says } from './harness.js';
import type { Harness } from './harness.js';
import { callWithKey, startKeyedHarness } from './keyed-harness.js';
import type { KeyedAnswer, KeyedCall } from './keyed-harness.js';
import { exchange } from './raw-client.js';

let harness: Harness;
beforeAll(async () => {
  harness = await startKeyedHarness();
});
afterAll(() => harness.close());
beforeEach(() => {
  harness.upstream.seen.length = 0;
  harness.upstream.script(says(jsonAnswer('{"id":"resp_of_support","object":"response","output":[]}')));
});

const call = (path: string, key: string | null, options?: KeyedCall): Promise<KeyedAnswer> =>
  callWithKey(harness.router, path, key, options);

describe('client keys of a route', () => {
  test.each([
    ['support', 'sk-support-1', 200],
    ['support', 'sk-support-2', 200],
    ['support', 'sk-support-3', 200],
    ['support', 'sk-sales', 404],
    ['support', 'sk-support', 404],
    ['support', 'sk-support-11', 404],
    ['support', 'sk-support-1, sk-support-2', 404],
    ['support', null, 404],
    ['support', TOKEN, 404],
    ['support', 'sk-upstream-own', 404],
    ['sales', 'sk-sales', 200],
    ['sales', 'sk-support-1', 404],
    ['open', null, 200],
    ['open', 'sk-anything', 200],
    ['open', 'sk-sales', 200],
  ])('open %s to %s: %d', async (route, key, status) => {
    expect((await call('/v1/chat/completions', key, { body: { model: route } })).status).toBe(status);
    expect(harness.upstream.seen).toHaveLength(status === 200 ? 1 : 0);
    const form = { 'x-sluice-route': route, 'content-encoding': 'gzip' };
    expect((await call('/v1/chat/completions', key, { body: 'opaque', headers: form })).status).toBe(status);
  });

  test('show the routes that they open and no other', async () => {
    const listed = async (key: string | null): Promise<readonly string[]> =>
      jsonOf<{ data: { id: string }[] }>((await call('/v1/models', key)).text).data.map(({ id }) => id);
    expect(await listed(null)).toEqual(['open']);
    expect(await listed('sk-sales')).toEqual(['sales', 'open']);
    expect((await call('/v1/models/sales', 'sk-support-1')).status).toBe(404);
    expect((await call('/v1/chat/completions', 'sk-support-1', { body: { model: 'x' } })).text).not.toContain('sales');
  });

  test('guard what was made through the route as well', async () => {
    expect((await call('/v1/responses', 'sk-support-1', { body: { model: 'support', input: 'x' } })).status).toBe(200);
    expect((await call('/v1/responses/resp_of_support', 'sk-support-2')).status).toBe(200);
    for (const key of [null, 'sk-sales']) {
      expect((await call('/v1/responses/resp_of_support', key)).status).toBe(404);
      expect(
        (await call('/v1/responses/resp_of_support', key, { headers: { 'x-sluice-route': 'support' } })).status,
      ).toBe(404);
    }
    // With a route of its own it asks that one's upstream, which knows nothing of the id.
    await call('/v1/responses', 'sk-sales', { body: { model: 'sales', previous_response_id: 'resp_of_support' } });
    expect(harness.upstream.seen.at(-1)?.body.toString()).toContain('"model":"k"');
  });
});

describe('what a client sends as a credential', () => {
  const SECRETS = {
    authorization: 'Bearer sk-client',
    'api-key': 'k1',
    'x-api-key': 'k2',
    cookie: 'session=1',
    'proxy-authorization': 'Basic eA==',
  };

  test('never reaches an upstream that has its own', async () => {
    await call('/v1/chat/completions', 'sk-support-1', {
      body: { model: 'support' },
      headers: { 'api-key': 'k1', 'x-api-key': 'k2', cookie: 'session=1' },
    });
    const head = harness.upstream.seen[0]?.head ?? '';
    expect(head.match(/^(authorization|api-key|x-api-key|cookie|proxy-authorization):.*$/gim)).toEqual([
      'authorization: Bearer sk-upstream-own',
    ]);
  });

  test('passes to one that has none, unless it is a key of the router', async () => {
    await call('/v1/chat/completions', null, { body: { model: 'open' }, headers: SECRETS });
    const names = (head: string | undefined): readonly string[] =>
      (head?.match(/^(authorization|api-key|x-api-key|cookie|proxy-authorization):/gim) ?? []).map((name) =>
        name.toLowerCase(),
      );
    expect([...names(harness.upstream.seen[0]?.head)].toSorted()).toEqual([
      'api-key:',
      'authorization:',
      'cookie:',
      'x-api-key:',
    ]);
    for (const [route, key] of [
      ['open', 'sk-sales'],
      ['sales', 'sk-sales'],
    ] as const) {
      await call('/v1/chat/completions', key, { body: { model: route } });
      expect(names(harness.upstream.seen.at(-1)?.head)).toEqual([]);
    }
  });

  test('twice is not taken as two chances', async () => {
    const body = '{"model":"support"}';
    const head = (first: string, second: string): string =>
      `POST /v1/chat/completions HTTP/1.1\r\nhost: r\r\nconnection: close\r\nauthorization: Bearer ${first}\r\nauthorization: Bearer ${second}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    const [answer] = await exchange(harness.router.publicUrl, head('wrong', 'sk-support-1'));
    expect(answer?.status).toBe(404);
    await exchange(harness.router.publicUrl, head('sk-support-1', 'other'));
    expect(harness.upstream.seen.at(-1)?.head).not.toMatch(/other/);
  });
});

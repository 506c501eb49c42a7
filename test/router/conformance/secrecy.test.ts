import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { request } from 'undici';
import { Secret } from '../../../src/router/secret.js';
import { canarySplit, putSplit, TOKEN } from '../helpers/router-fixture.js';
import { jsonAnswer, says } from './harness.js';
import type { Harness } from './harness.js';
import { callWithKey, KEYS, startKeyedHarness } from './keyed-harness.js';
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

describe('no client chooses an upstream', () => {
  test.each([
    ['a header of the router', { 'x-sluice-variant': 'candidate', 'x-sluice-upstream': 'keyless' }, {}],
    [
      'a header of a gateway',
      { 'x-portkey-custom-host': 'http://127.0.0.1:1', 'x-forwarded-host': 'elsewhere', 'x-original-url': '/admin' },
      {},
    ],
    [
      'a body',
      {},
      { upstream: 'keyless', variant: 'candidate', api_base: 'http://127.0.0.1:1', base_url: 'http://127.0.0.1:1' },
    ],
    ['a host', { host: 'keyless' }, {}],
  ])('by %s', async (_name, headers, body) => {
    await putSplit(harness.router, canarySplit({ generation: Date.now(), weights: { stable: 1, candidate: 0 } }));
    const answer = await call('/v1/chat/completions', 'sk-support-1', { body: { model: 'support', ...body }, headers });
    expect(answer).toMatchObject({ status: 200, headers: { 'x-sluice-variant': 'stable' } });
    expect(harness.upstream.seen[0]?.body.toString()).toContain('"model":"old-model"');
  });

  test.each([
    '/v1/%zz/%2e%2e/%2e%2e/admin',
    '/v1/x/..%5cadmin',
    '/v1/%252e%252e/admin',
    '/v1/..;/admin',
    '/v1/a/%2e./b',
    '/v1/.%2E/a',
  ])('by a path that climbs: %s', async (path) => {
    const body = '{"model":"open"}';
    const [answer] = await exchange(
      harness.router.publicUrl,
      `POST ${path} HTTP/1.1\r\nhost: r\r\nconnection: close\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    );
    expect(answer?.status).toBe(404);
    expect(harness.upstream.seen).toEqual([]);
  });
});

test('no key is in a log, an answer, a metric or the admin API, whatever fails', async () => {
  const said: string[] = [];
  const note = ({ text, headers }: KeyedAnswer): void => void said.push(text, JSON.stringify(headers));
  const body = { model: 'support' };
  for (const key of [null, 'sk-support-1', 'sk-support-wrong', TOKEN]) {
    note(await call('/v1/chat/completions', key, { body }));
    note(await call('/v1/chat/completions', key, { body: '{' }));
    note(await call('/v1/models', key));
    note(await call('/v1/responses/none', key));
    note(await call('/v1/feedback', key, { body: { request_id: 'sl1.x.y', thumb: 'up' } }));
  }
  harness.upstream.script(({ socket }) => socket.destroy());
  note(await call('/v1/chat/completions', 'sk-support-1', { body }));
  harness.upstream.script(says('no http at all\r\n\r\n'));
  note(await call('/v1/chat/completions', 'sk-support-1', { body }));
  for (const token of [TOKEN, 'wrong']) {
    for (const path of [
      '/metrics',
      '/admin/v1/routes',
      '/admin/v1/routes/support/split',
      '/admin/v1/routes/support/evidence?rollout=x',
      '/nothing',
      '//',
      '/admin/v1/routes/%zz/split',
    ]) {
      const answer = await request(`${harness.router.adminUrl}${path}`, {
        headers: { authorization: `Bearer ${token}` },
      });
      note({ status: answer.statusCode, headers: answer.headers, text: await answer.body.text() });
      expect(answer.statusCode).toBeLessThan(500);
    }
  }
  for (const entry of harness.log) said.push(JSON.stringify(entry));
  const secrets = [TOKEN, ...Object.values(KEYS).flatMap((keys) => keys.split(', '))];
  for (const text of said) for (const secret of secrets) expect(text).not.toContain(secret);
});

test('a secret is compared whole, whatever the length of what is presented', () => {
  const secret = new Secret('admin-token');
  expect(secret.matches('admin-token')).toBe(true);
  for (const other of ['', 'a', 'admin-toke', 'admin-token2', 'admin-tokex', 'ADMIN-TOKEN', 'x'.repeat(10_000)]) {
    expect(secret.matches(other)).toBe(false);
  }
});

import { get } from 'node:http';
import { describe, expect, test } from 'vitest';
import { allOn, chat, jsonOf, putSplit, ROUTE, startFixture } from './helpers/router-fixture.js';
import type { RouterFixture } from './helpers/router-fixture.js';
import { answerStatus, startUpstream } from './helpers/upstream-server.js';
import type { TestUpstream } from './helpers/upstream-server.js';

interface PublicProblem {
  readonly error: { readonly code: string; readonly type: string; readonly message: string };
}

async function start(
  change?: Parameters<typeof startFixture>[0]['change'],
  env?: NodeJS.ProcessEnv,
): Promise<RouterFixture & { old: TestUpstream; fresh: TestUpstream }> {
  const [old, fresh] = await Promise.all([startUpstream('old answers'), startUpstream('new answers')]);
  const fixture = await startFixture({
    urls: { old: old.url, new: fresh.url },
    ...(change !== undefined && { change }),
    ...(env !== undefined && { env }),
  });
  return { ...fixture, old, fresh };
}

describe('a request without a rollout', () => {
  test('reaches the stable upstream byte for byte but for the model name', async () => {
    const { router, old } = await start();
    const body = `{ "messages": [{"role":"user","content":"say \\"model\\": \\u00e9 é"}],\n"model" : "${ROUTE}", "temperature":0.70, "nested":{"model":"${ROUTE}"} }`;
    const answer = await chat(router, { body });
    expect(answer.status).toBe(200);
    expect(old.seen[0]?.body).toBe(body.replace(`"model" : "${ROUTE}"`, '"model" : "old-model"'));
    expect(old.seen[0]?.url).toBe('/v1/chat/completions');
    expect(answer.headers['x-sluice-variant']).toBe('stable');
    expect(answer.headers['x-sluice-request-id']).toMatch(/^sl1\./);
  });

  test('keeps its query and its headers, without those of the connection', async () => {
    const { router, old } = await start();
    await chat(router, {
      path: '/v1/chat/completions?api-version=2',
      headers: { 'x-trace': 'abc', te: 'trailers', 'x-sluice-variant': 'candidate', 'accept-encoding': 'gzip' },
    });
    const seen = old.seen[0];
    expect(seen?.url).toBe('/v1/chat/completions?api-version=2');
    expect(seen?.headers['x-trace']).toBe('abc');
    expect(seen?.headers['accept-encoding']).toBe('identity');
    expect(seen?.headers).not.toHaveProperty('te');
    expect(seen?.headers).not.toHaveProperty('x-sluice-variant');
    expect(seen?.headers.host).toBe(new URL(old.url).host);
  });

  test('the answer comes back with its status, headers and bytes', async () => {
    const { router, old } = await start();
    old.behave((_request, response) => {
      response.writeHead(418, {
        'content-type': 'application/json',
        'x-upstream': 'é',
        'set-cookie': ['a=1', 'b=2'],
        connection: 'close, x-hop',
        'x-hop': 'no',
      });
      response.end('{"a": 1 }\n');
    });
    const answer = await chat(router);
    expect(answer.status).toBe(418);
    expect(answer.text).toBe('{"a": 1 }\n');
    expect(answer.headers['set-cookie']).toEqual(['a=1', 'b=2']);
    expect(Buffer.from(String(answer.headers['x-upstream']), 'latin1').toString('latin1')).toBe('é');
    expect(answer.headers).not.toHaveProperty('x-hop');
  });

  test('passes an upstream that refuses through as it is', async () => {
    const { router, old } = await start();
    old.behave(answerStatus(429));
    const answer = await chat(router);
    expect(answer.status).toBe(429);
    expect(JSON.parse(answer.text)).toEqual({ error: { message: 'status 429', code: null } });
  });
});

describe('credentials of the client', () => {
  const headers = { authorization: 'Bearer client', 'api-key': 'a', 'x-api-key': 'b', cookie: 'c=1' };

  test('pass to an upstream without a key of its own', async () => {
    const { router, old } = await start();
    await chat(router, { headers });
    expect(old.seen[0]?.headers).toMatchObject(headers);
  });

  test('never reach an upstream that has one', async () => {
    const { router, old } = await start(
      (config) => ({
        ...config,
        upstreams: new Map(
          [...config.upstreams].map(([name, upstream]) => [name, { ...upstream, apiKeyEnv: 'OLD_KEY' }]),
        ),
      }),
      { OLD_KEY: 'own' },
    );
    await chat(router, { headers });
    const seen = old.seen[0]?.headers;
    expect(seen?.authorization).toBe('Bearer own');
    for (const name of ['api-key', 'x-api-key', 'cookie']) expect(seen).not.toHaveProperty(name);
  });

  test('are the router’s own when it asks for client keys, and go no further', async () => {
    const { router, old } = await start((config) => ({ ...config, clientKeysEnv: 'CLIENT_KEYS' }), {
      CLIENT_KEYS: 'first, client',
    });
    expect((await chat(router)).status).toBe(401);
    expect((await chat(router, { headers: { authorization: 'Bearer other' } })).status).toBe(401);
    expect((await chat(router, { headers })).status).toBe(200);
    expect(old.seen).toHaveLength(1);
    expect(old.seen[0]?.headers).not.toHaveProperty('authorization');
  });
});

describe('what the router refuses', () => {
  test.each([
    ['an unknown route', { model: 'other' }, 404, 'route-unknown', /"other" is not a route; routes are: support/],
    ['no model', { messages: [] }, 400, 'model-missing', /names no model/],
    ['no JSON', '{"model": "support"', 400, 'body-invalid', /not a JSON object/],
  ])('%s', async (_name, body, status, code, message) => {
    const { router } = await start();
    const answer = await chat(router, { body });
    const { error } = jsonOf<PublicProblem>(answer.text);
    expect(answer.status).toBe(status);
    expect(error).toMatchObject({ code, type: 'invalid_request_error' });
    expect(error.message).toMatch(message);
  });

  test.each(['/v1/../admin', '/v1/%2e%2e/admin', '/v1/..%2fadmin'])(
    'a path that climbs out of the API: %s',
    async (path) => {
      const { router, old } = await start();
      // No client library sends such a path as it is.
      const { port, hostname } = new URL(router.publicUrl);
      const status = await new Promise<number | undefined>((resolve, reject) => {
        get({ port, hostname, path }, (response) => {
          response.resume();
          resolve(response.statusCode);
        }).on('error', reject);
      });
      expect(status).toBe(404);
      expect(old.seen).toHaveLength(0);
    },
  );
});

test('a split of everyone to the candidate is obeyed by the next request', async () => {
  const { router, old, fresh } = await start();
  await chat(router);
  const written = await putSplit(router, allOn('candidate'));
  expect(written.status).toBe(200);
  const answer = await chat(router);
  expect(answer.headers['x-sluice-variant']).toBe('candidate');
  expect([old.seen.length, fresh.seen.length]).toEqual([1, 1]);
  expect(jsonOf(fresh.seen[0]?.body ?? '{}')).toMatchObject({ model: 'new-model' });
});

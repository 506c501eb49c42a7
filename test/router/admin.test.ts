import { request } from 'undici';
import { describe, expect, test } from 'vitest';
import type { RouteView } from '../../src/backends/traffic-backend.js';
import { routeName } from '../../src/plan/ids.js';
import {
  admin,
  allOn,
  canarySplit,
  chat,
  jsonOf,
  putSplit,
  restingSplit,
  ROUTE,
  startFixture,
  TOKEN,
} from './helpers/router-fixture.js';
import type { AdminProblem, ConfigChange, RouterFixture } from './helpers/router-fixture.js';
import { startUpstream } from './helpers/upstream-server.js';

async function start(change?: ConfigChange): Promise<RouterFixture> {
  const [old, fresh] = await Promise.all([startUpstream(), startUpstream()]);
  return startFixture({ urls: { old: old.url, new: fresh.url }, ...(change !== undefined && { change }) });
}

describe('the admin API', () => {
  test.each([
    ['GET', '/admin/v1/routes', undefined],
    ['GET', '/admin/v1/routes/support/split', 'wrong'],
    ['PUT', '/admin/v1/routes/support/split', `${TOKEN}x`],
    ['POST', '/admin/v1/routes/support/lease', ''],
    ['GET', '/admin/v1/routes/support/evidence?rollout=x', TOKEN.slice(0, -1)],
    ['GET', '/metrics', 'wrong'],
    ['GET', '/', undefined],
  ] as const)('%s %s without the right token is 401', async (method, path, token) => {
    const { router } = await start();
    const answer = await request(`${router.adminUrl}${path}`, {
      method,
      ...(token !== undefined && { headers: { authorization: `Bearer ${token}` } }),
      ...(method === 'PUT' && { body: JSON.stringify(canarySplit()) }),
    });
    expect(answer.statusCode).toBe(401);
    expect(jsonOf(await answer.body.text())).toMatchObject({ error: { code: 'unauthorized' } });
    expect((await admin<RouteView>(router, 'GET', `${ROUTE}/split`)).body.split.generation).toBe(0);
  });

  test('is not on the public listener', async () => {
    const { router } = await start();
    const answer = await request(`${router.publicUrl}/admin/v1/routes`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    await answer.body.dump();
    expect(answer.statusCode).toBe(404);
  });

  test('names the routes when one is unknown', async () => {
    const { router } = await start();
    const { status, body } = await admin<AdminProblem>(router, 'GET', 'other/split');
    expect([status, body.error.code]).toEqual([404, 'route-unknown']);
    expect(body.error.message).toMatch(/"other" .* routes are: support/);
  });

  test.each([
    ['PUT', `${ROUTE}/evidence`, 405],
    ['GET', `${ROUTE}/lease`, 405],
    ['GET', `${ROUTE}/nothing`, 404],
    ['POST', `${ROUTE}/lease`, 400],
  ] as const)('%s %s is %d', async (method, resource, status) => {
    const { router } = await start();
    expect((await admin(router, method, resource, {})).status).toBe(status);
  });

  test('takes routes whose names have slashes, in either spelling', async () => {
    const name = routeName('meta/llama:3');
    const { router } = await start((config) => ({
      ...config,
      routes: new Map([...config.routes.values()].map((route) => [name, { ...route, name }])),
    }));
    for (const spelling of ['meta/llama:3', 'meta%2Fllama%3A3']) {
      const { status, body } = await admin<RouteView>(router, 'GET', `${spelling}/split`);
      expect([status, body.route]).toEqual([200, name]);
    }
    expect((await admin(router, 'PUT', 'meta%2Fllama%3A3/split', restingSplit('new'))).status).toBe(200);
    expect((await chat(router, { body: { model: name } })).status).toBe(200);
  });

  test('shows every route with its split, its process and the upstreams it knows', async () => {
    const { router, clock } = await start();
    const answer = await request(`${router.adminUrl}/admin/v1/routes`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    expect(jsonOf(await answer.body.text())).toMatchObject({
      routes: [
        {
          route: ROUTE,
          replica: router.replica,
          process: router.process,
          now: clock.wallMs(),
          inForce: true,
          leaseExpiresAt: null,
          upstreams: ['old', 'new'],
          split: { generation: 0, upstreams: { stable: 'old', candidate: null } },
        },
      ],
    });
  });

  test('tells Prometheus what passed', async () => {
    const { router, clock } = await start();
    await putSplit(router, allOn('candidate'));
    await chat(router);
    clock.advance(1_000);
    const answer = await request(`${router.adminUrl}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } });
    const text = await answer.body.text();
    expect(text).toContain(
      'sluice_requests_total{route="support",variant="candidate",kind="served",class="complete"} 1\n',
    );
    expect(text).toContain('sluice_split_weight{route="support",variant="candidate"} 1\n');
    expect(text).toContain('sluice_lease_seconds_left{route="support"} 899\n');
  });
});

describe('the public listener', () => {
  test('lists the routes as models', async () => {
    const { router } = await start();
    const get = async (path: string): Promise<unknown> =>
      jsonOf(await (await request(`${router.publicUrl}${path}`)).body.text());
    expect(await get('/v1/models')).toMatchObject({
      object: 'list',
      data: [{ id: ROUTE, object: 'model', owned_by: 'sluice' }],
    });
    expect(await get(`/v1/models/${ROUTE}`)).toMatchObject({ id: ROUTE });
    expect(await get('/v1/models/other')).toMatchObject({
      error: { code: 'route-unknown', type: 'invalid_request_error' },
    });
    expect(await get('/healthz')).toEqual({ status: 'ok' });
    expect(await get('/readyz')).toEqual({ ready: true });
    expect(await get('/elsewhere')).toMatchObject({ error: { code: 'path-unknown' } });
  });
});

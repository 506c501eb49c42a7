import { describe, expect, test } from 'vitest';
import type { RatingRecord } from '../../src/evidence/record.js';
import { ratingRecordSchema } from '../../src/backends/evidence-schemas.js';
import {
  admin,
  allOn,
  chat,
  jsonOf,
  putSplit,
  readEvidence,
  restingSplit,
  ROLLOUT,
  ROUTE,
  shadowSplit,
  startFixture,
} from './helpers/router-fixture.js';
import type { ConfigChange, FixtureOptions, RouterFixture } from './helpers/router-fixture.js';
import { startUpstream } from './helpers/upstream-server.js';

async function start(change: Partial<FixtureOptions> = {}): Promise<RouterFixture> {
  const [old, fresh] = await Promise.all([startUpstream(), startUpstream()]);
  return startFixture({ urls: { old: old.url, new: fresh.url }, ...change });
}

async function rate(
  fixture: RouterFixture,
  body: unknown,
): Promise<{ status: number; counted?: boolean; code?: string }> {
  const answer = await chat(fixture.router, { path: '/v1/feedback', body });
  const { counted, error } = jsonOf<{ counted?: boolean; error?: { code: string } }>(answer.text);
  return {
    status: answer.status,
    ...(counted !== undefined && { counted }),
    ...(error !== undefined && { code: error.code }),
  };
}

async function requestId(fixture: RouterFixture, user?: string): Promise<string> {
  const answer = await chat(fixture.router, user === undefined ? {} : { headers: { 'x-user-id': user } });
  return String(answer.headers['x-sluice-request-id']);
}

async function ratings(fixture: RouterFixture): Promise<readonly RatingRecord[]> {
  return (await readEvidence(fixture.router)).ratings;
}

describe('feedback', () => {
  test('is filed under the request that earned it, whatever runs by then', async () => {
    const fixture = await start();
    await putSplit(fixture.router, allOn('candidate'));
    const startedAt = fixture.clock.wallMs();
    const id = await requestId(fixture, 'u-1');
    await putSplit(fixture.router, restingSplit('old', { generation: 2 }));
    fixture.clock.advance(3_600_000);
    expect(await rate(fixture, { request_id: id, thumb: 'down' })).toEqual({ status: 202, counted: true });
    const [rating, ...more] = await ratings(fixture);
    expect(more).toEqual([]);
    expect(ratingRecordSchema.parse(rating)).toEqual(rating);
    expect(rating).toMatchObject({
      rollout: ROLLOUT,
      generation: 1,
      variant: 'candidate',
      stratum: 'served',
      requestStartedAt: startedAt,
      ratedAt: startedAt + 3_600_000,
      rating: { kind: 'thumb', up: false },
    });
    expect(rating?.userBucket).not.toBeNull();
  });

  test('may be a score, of a request without unit in a shadow stage', async () => {
    const fixture = await start();
    await putSplit(fixture.router, shadowSplit());
    expect(await rate(fixture, { request_id: await requestId(fixture), score: 4 })).toEqual({
      status: 202,
      counted: true,
    });
    expect(await ratings(fixture)).toMatchObject([
      { stratum: 'paired', variant: 'stable', userBucket: null, rating: { kind: 'score', score: 4 } },
    ]);
  });

  test('counts once', async () => {
    const fixture = await start();
    await putSplit(fixture.router, allOn('candidate'));
    const id = await requestId(fixture);
    await rate(fixture, { request_id: id, thumb: 'up' });
    expect(await rate(fixture, { request_id: id, thumb: 'down' })).toEqual({ status: 202, counted: false });
    expect(await ratings(fixture)).toHaveLength(1);
  });

  test('that is forged counts for nothing', async () => {
    const fixture = await start();
    await putSplit(fixture.router, allOn('candidate'));
    const id = await requestId(fixture);
    const [version, , signature] = id.split('.');
    const forged = Buffer.from(`${ROLLOUT}|1|candidate|served||0|ffffffffffffffffffffffff`).toString('base64url');
    expect(await rate(fixture, { request_id: `${version}.${forged}.${signature}`, thumb: 'up' })).toEqual({
      status: 400,
      code: 'request-id-invalid',
    });
    expect(await ratings(fixture)).toEqual([]);
  });

  test('of a request that no rollout compared is taken and not counted', async () => {
    const fixture = await start();
    const id = await requestId(fixture);
    expect(await rate(fixture, { request_id: id, thumb: 'up' })).toEqual({ status: 202, counted: false });
  });

  test.each([
    [{}],
    [{ request_id: 'x' }],
    [{ request_id: 'x', thumb: 'up', score: 3 }],
    [{ request_id: 'x', score: 9 }],
    ['no JSON'],
  ])('as %j is refused', async (body) => {
    expect(await rate(await start(), body)).toEqual({ status: 400, code: 'feedback-invalid' });
  });

  test('may come to another member, and over a rotation of keys', async () => {
    const env = { KEY_1: 'one', KEY_2: 'two' };
    const keys =
      (...tokenKeyEnv: string[]): ConfigChange =>
      (config) => ({ ...config, tokenKeyEnv });
    const signing = await start({ env, change: keys('KEY_1') });
    await putSplit(signing.router, allOn('candidate'));
    const id = await requestId(signing);
    const rotated = await start({ env, change: keys('KEY_2', 'KEY_1') });
    expect(await rate(rotated, { request_id: id, thumb: 'up' })).toEqual({ status: 202, counted: true });
    expect(await ratings(rotated)).toMatchObject([{ rollout: ROLLOUT, generation: 1 }]);
    const other = await start({ env, change: keys('KEY_2') });
    expect(await rate(other, { request_id: id, thumb: 'up' })).toEqual({ status: 400, code: 'request-id-invalid' });
  });

  test('still counts after a restart of a router that made its own key', async () => {
    const fixture = await start();
    await putSplit(fixture.router, allOn('candidate'));
    const id = await requestId(fixture);
    await fixture.router.close();
    const next = await start({ stateDirectory: fixture.stateDirectory, clock: fixture.clock });
    expect(await rate(next, { request_id: id, thumb: 'up' })).toEqual({ status: 202, counted: true });
    await next.router.close();
    const last = await start({ stateDirectory: fixture.stateDirectory, clock: fixture.clock });
    const page = await readEvidence(last.router);
    expect(page.ratings).toHaveLength(1);
    await admin(last.router, 'POST', `${ROUTE}/evidence/ack`, { cursor: page.cursor });
    expect(await ratings(last)).toEqual([]);
  });
});

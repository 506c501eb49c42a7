import { readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { request } from 'undici';
import { describe, expect, test } from 'vitest';
import { upstreamName } from '../../src/plan/ids.js';
import { FakeClock } from './helpers/fake-clock.js';
import {
  admin,
  allOn,
  canarySplit,
  chat,
  OTHER_ROLLOUT,
  putSplit,
  readEvidence,
  readSplit,
  restingSplit,
  ROLLOUT,
  ROUTE,
  startFixture,
  temporaryDirectory,
  testConfig,
  TOKEN,
} from './helpers/router-fixture.js';
import type { AdminProblem, ConfigChange, RouterFixture } from './helpers/router-fixture.js';
import { startUpstream } from './helpers/upstream-server.js';

interface Place {
  readonly start: (change?: ConfigChange) => Promise<RouterFixture>;
  readonly clock: FakeClock;
  readonly stateDirectory: string;
}

/** Somewhere that routers come back to. */
async function place(): Promise<Place> {
  const [old, fresh] = await Promise.all([startUpstream(), startUpstream()]);
  const clock = new FakeClock();
  const stateDirectory = await temporaryDirectory();
  const urls = { old: old.url, new: fresh.url };
  return {
    clock,
    stateDirectory,
    start: (change) => startFixture({ urls, clock, stateDirectory, ...(change !== undefined && { change }) }),
  };
}

const restingOn =
  (upstream: string): ConfigChange =>
  (config) => ({
    ...config,
    routes: new Map([...config.routes].map(([name, route]) => [name, { ...route, stable: upstreamName(upstream) }])),
  });

const without =
  (upstream: string): ConfigChange =>
  (config) => ({ ...config, upstreams: new Map([...config.upstreams].filter(([name]) => name !== upstream)) });

const variantOf = async ({ router }: RouterFixture) => (await chat(router)).headers['x-sluice-variant'];
const renew = ({ router }: RouterFixture, generation = 1, rollout = ROLLOUT) =>
  admin<AdminProblem>(router, 'POST', `${ROUTE}/lease`, { rollout, generation });

describe('a lease', () => {
  test('runs out: stable serves, the split is not in force, and it is never renewed', async () => {
    const { start, clock } = await place();
    const fixture = await start();
    await putSplit(fixture.router, allOn('candidate'));
    clock.advance(899_999);
    expect(await variantOf(fixture)).toBe('candidate');
    expect((await renew(fixture)).status).toBe(200);
    clock.advance(899_999);
    expect(await variantOf(fixture)).toBe('candidate');
    clock.advance(1);
    expect(await variantOf(fixture)).toBe('stable');
    expect(await readSplit(fixture.router)).toMatchObject({ inForce: false, split: { generation: 1 } });
    const late = await renew(fixture);
    expect([late.status, late.body.error.code]).toEqual([409, 'expired']);
    expect((await putSplit(fixture.router, allOn('candidate'))).body.inForce).toBe(false);
    expect(await variantOf(fixture)).toBe('stable');
    expect((await putSplit(fixture.router, allOn('candidate', { generation: 2 }))).body.inForce).toBe(true);
    expect(await variantOf(fixture)).toBe('candidate');
  });

  test('that has run out files nothing, however much passes; what started before it counts', async () => {
    const { start, clock } = await place();
    const fixture = await start();
    await putSplit(fixture.router, allOn('candidate'));
    clock.advance(899_000);
    await chat(fixture.router);
    clock.advance(1_000);
    await chat(fixture.router);
    clock.advance(1_000);
    const page = await readEvidence(fixture.router);
    expect(page.records.map(({ variant, started }) => [variant, started])).toEqual([['candidate', 1]]);
    expect(page.open).toMatchObject({ inForce: false, generation: 1 });
    expect(page.closedThrough).toBe(page.now);
    expect(fixture.log.filter(({ event }) => event === 'lease-expired')).toHaveLength(1);
  });

  test('with onExpiry keep keeps the weights and still files nothing', async () => {
    const { start, clock } = await place();
    const fixture = await start();
    await putSplit(fixture.router, allOn('candidate', { lease: { seconds: 10, onExpiry: 'keep' } }));
    clock.advance(10_000);
    expect(await variantOf(fixture)).toBe('candidate');
    clock.advance(1_000);
    expect((await readEvidence(fixture.router)).records).toEqual([]);
    expect((await readSplit(fixture.router)).inForce).toBe(false);
  });

  test.each([
    ['another generation', 2, ROLLOUT],
    ['another rollout', 1, OTHER_ROLLOUT],
  ])('is not renewed for %s', async (_name, generation, rollout) => {
    const { start, clock } = await place();
    const fixture = await start();
    await putSplit(fixture.router, allOn('candidate'));
    clock.advance(1_000);
    const answer = await renew(fixture, generation, rollout);
    expect([answer.status, answer.body.error.code]).toEqual([409, 'not-current']);
    expect((await readSplit(fixture.router)).leaseExpiresAt).toBe(clock.wallMs() - 1_000 + 900_000);
  });

  test('does not follow the wall clock while the process lives', async () => {
    const { start, clock } = await place();
    const fixture = await start();
    await putSplit(fixture.router, allOn('candidate'));
    clock.stepWall(3_600_000);
    expect(await variantOf(fixture)).toBe('candidate');
  });
});

describe('a restart', () => {
  test('comes back with the split for what is left of its lease', async () => {
    const { start, clock } = await place();
    const first = await start();
    await putSplit(first.router, allOn('candidate'));
    clock.advance(60_000);
    await renew(first);
    await first.router.close();
    clock.advance(400_000);
    const second = await start();
    expect(await readSplit(second.router)).toMatchObject({ split: allOn('candidate'), inForce: true });
    expect(await variantOf(second)).toBe('candidate');
    clock.advance(500_000);
    expect(await variantOf(second)).toBe('stable');
  });

  test('after the lease comes back at 100% stable, with the generation as it was', async () => {
    const { start, clock } = await place();
    const first = await start();
    await putSplit(first.router, allOn('candidate'));
    await first.router.close();
    clock.advance(900_000);
    const second = await start();
    expect(await readSplit(second.router)).toMatchObject({ inForce: false, split: { generation: 1 } });
    expect(await variantOf(second)).toBe('stable');
    expect((await putSplit(second.router, canarySplit({ salt: 'x' }))).body.error.code).toBe('stale');
    expect((await putSplit(second.router, allOn('candidate', { generation: 2, rollout: OTHER_ROLLOUT }))).status).toBe(
      200,
    );
  });

  test('does not bring an expired lease back because the wall clock went back', async () => {
    const { start, clock } = await place();
    const first = await start();
    await putSplit(first.router, allOn('candidate'));
    clock.advance(900_000);
    await readEvidence(first.router);
    await first.router.close();
    clock.stepWall(-3_600_000);
    const second = await start();
    expect((await readSplit(second.router)).inForce).toBe(false);
  });

  test('never lengthens a lease because the wall clock went back', async () => {
    const { start, clock } = await place();
    const first = await start();
    await putSplit(first.router, allOn('candidate'));
    await first.router.close();
    clock.stepWall(-3_600_000);
    const second = await start();
    clock.advance(899_999);
    expect(await variantOf(second)).toBe('candidate');
    clock.advance(1);
    expect(await variantOf(second)).toBe('stable');
  });

  test('whose configuration lost the candidate is at 100% stable and says so', async () => {
    const { start } = await place();
    const first = await start();
    await putSplit(first.router, allOn('candidate'));
    await first.router.close();
    const second = await start(without('new'));
    expect(await variantOf(second)).toBe('stable');
    expect((await readSplit(second.router)).inForce).toBe(false);
    expect(second.log.map(({ message }) => message).join()).toMatch(/"new" is no longer configured/);
  });

  test('with state that cannot be read does not start, and names the file', async () => {
    const { start, stateDirectory } = await place();
    const first = await start();
    await putSplit(first.router, canarySplit());
    await first.router.close();
    const [file] = await readdir(path.join(stateDirectory, 'splits'));
    await writeFile(path.join(stateDirectory, 'splits', file ?? ''), '{"split":');
    await expect(start()).rejects.toThrow(/support\.json cannot be read .*; move it away/);
  });
});

describe('a resting split', () => {
  test('overrides sluice.yaml over restarts until the file has named the same upstream', async () => {
    const { start } = await place();
    const served = async (fixture: RouterFixture) => {
      const { split } = await readSplit(fixture.router);
      await fixture.router.close();
      return [split.generation, split.upstreams.stable];
    };
    const first = await start(restingOn('old'));
    await putSplit(first.router, restingSplit('new', { generation: 9 }));
    expect(await served(first)).toEqual([9, 'new']);
    const second = await start(restingOn('old'));
    expect(second.log.map(({ message }) => message).join()).toMatch(
      /rests on new since generation 9, not on old .* change routes.support.stable/,
    );
    expect(await served(second)).toEqual([9, 'new']);
    expect(await served(await start(restingOn('new')))).toEqual([9, 'new']);
    // From here on the file decides again.
    expect(await served(await start(restingOn('old')))).toEqual([9, 'old']);
    expect(await served(await start(restingOn('old')))).toEqual([9, 'old']);
  });

  test('on an upstream that is no longer configured stops the start with what to do', async () => {
    const { start } = await place();
    const first = await start();
    await putSplit(first.router, restingSplit('new'));
    await first.router.close();
    await expect(start(without('new'))).rejects.toThrow(
      /routes.support: .*"new", which is not among upstreams \(old\); add it again/,
    );
  });
});

describe('a new member', () => {
  const readiness = async ({ router }: RouterFixture) => {
    const answer = await request(`${router.publicUrl}/readyz`);
    return { status: answer.statusCode, text: await answer.body.text() };
  };
  const beside =
    (member: RouterFixture): ConfigChange =>
    (config) => ({
      ...config,
      fleet: [{ kind: 'address', admin: member.router.adminUrl, tokenEnv: 'SLUICE_ADMIN_TOKEN' }],
    });

  test('is not ready while another member has a split and it has none', async () => {
    const [first, second] = await Promise.all([place(), place()]);
    const member = await first.start();
    await putSplit(member.router, restingSplit('new', { generation: 4 }));
    const newcomer = await second.start(beside(member));
    const before = await readiness(newcomer);
    expect(before.status).toBe(503);
    expect(before.text).toMatch(/route support: member http.* holds generation 4; waiting/);
    await putSplit(newcomer.router, restingSplit('new', { generation: 4 }));
    expect((await readiness(newcomer)).status).toBe(200);
  });

  test.each([['with nothing written to it'], ['that is gone']])('is ready beside a member %s', async (which) => {
    const [first, second] = await Promise.all([place(), place()]);
    const member = await first.start();
    if (which === 'that is gone') await member.router.close();
    expect((await readiness(await second.start(beside(member)))).status).toBe(200);
  });

  test('with a split of its own does not ask', async () => {
    const [first, second] = await Promise.all([place(), place()]);
    const member = await first.start();
    await putSplit(member.router, restingSplit('new', { generation: 4 }));
    const before = await second.start();
    await putSplit(before.router, restingSplit('new', { generation: 3 }));
    await before.router.close();
    expect((await readiness(await second.start(beside(member)))).status).toBe(200);
  });
});

test('a router without its admin token, or open to strangers, does not start', async () => {
  const { start } = await place();
  const config = testConfig({ old: 'http://127.0.0.1:1/v1', new: 'http://127.0.0.1:1/v1' });
  const admins = { ...config.admin, tokenEnv: 'NOT_SET' };
  await expect(start((given) => ({ ...given, admin: admins }))).rejects.toThrow(
    /admin.tokenEnv .* NOT_SET, which is not set/,
  );
  const open = { host: '0.0.0.0', port: 0 };
  await expect(start((given) => ({ ...given, listen: open }))).rejects.toThrow(/listen: 0.0.0.0 .* clientKeysEnv/);
  expect(TOKEN).not.toBe('');
});

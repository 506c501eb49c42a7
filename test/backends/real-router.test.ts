/** The backend and the router's admin API are two programs: here they meet. */
import { afterEach, beforeEach, expect, it, onTestFinished } from 'vitest';
import { createSluiceRouterBackend } from '../../src/backends/sluice-router.js';
import type { SluiceRouterBackend } from '../../src/backends/sluice-router.js';
import type { Member } from '../../src/backends/traffic-backend.js';
import { routeName, upstreamName } from '../../src/plan/ids.js';
import type { RouterFixture } from '../router/helpers/router-fixture.js';
import {
  canarySplit,
  chat,
  OTHER_ROLLOUT,
  restingSplit,
  ROLLOUT,
  startFixture,
  TOKEN,
} from '../router/helpers/router-fixture.js';
import { startUpstream } from '../router/helpers/upstream-server.js';

const route = routeName('support');
const never = new AbortController().signal;

let fixture: RouterFixture;
let backend: SluiceRouterBackend;
let member: Member;

beforeEach(async () => {
  const [old, candidate] = [await startUpstream('old'), await startUpstream('new')];
  fixture = await startFixture({ urls: { old: old.url, new: candidate.url } });
  member = { address: fixture.router.adminUrl, tokenEnv: 'TOKEN' };
  backend = createSluiceRouterBackend({
    config: () => ({ fleet: [{ kind: 'address', admin: member.address, tokenEnv: 'TOKEN' }] }),
    env: { TOKEN },
  });
});

afterEach(() => backend.close());

it('reads a router that rests, with the upstreams it knows', async () => {
  const view = await backend.readSplit(member, route, never);
  expect(view).toMatchObject({ route: 'support', inForce: true, split: { generation: 0, lease: null } });
  expect(view.upstreams.toSorted()).toEqual(['new', 'old']);
});

it('writes, repeats, and is told stale and owned', async () => {
  const split = canarySplit({ generation: 3 });
  const write = (change: Parameters<typeof canarySplit>[0], takeOver?: { reason: string }) =>
    backend.writeSplit(member, route, canarySplit(change), takeOver === undefined ? {} : { takeOver }, never);
  await expect(write({ generation: 3 })).resolves.toMatchObject({ kind: 'confirmed', view: { split } });
  await expect(write({ generation: 3 })).resolves.toMatchObject({ kind: 'confirmed' });
  await expect(write({ generation: 2 })).resolves.toMatchObject({ kind: 'stale', current: { split } });
  await expect(write({ generation: 3, salt: 'another' })).resolves.toMatchObject({ kind: 'stale' });
  await expect(write({ generation: 4, rollout: OTHER_ROLLOUT })).resolves.toMatchObject({ kind: 'owned' });
  await expect(write({ generation: 4, rollout: OTHER_ROLLOUT }, { reason: 'lost & gone' })).resolves.toMatchObject({
    kind: 'confirmed',
  });
  await expect(
    backend.writeSplit(member, route, restingSplit('new', { generation: 9, rollout: OTHER_ROLLOUT }), {}, never),
  ).resolves.toMatchObject({ kind: 'confirmed', view: { leaseExpiresAt: null } });
});

it('says which upstream a router does not know', async () => {
  const split = canarySplit({ upstreams: { stable: upstreamName('old'), candidate: upstreamName('unheard-of') } });
  await expect(backend.writeSplit(member, route, split, {}, never)).rejects.toMatchObject({
    code: 'candidate-unknown',
    address: member.address,
  });
});

it('renews a lease until it has run out', async () => {
  await backend.writeSplit(member, route, canarySplit(), {}, never);
  await expect(backend.renewLease(member, route, ROLLOUT, 1, never)).resolves.toBe(true);
  await expect(backend.renewLease(member, route, ROLLOUT, 2, never)).resolves.toBe(false);
  fixture.clock.advance(901_000);
  await expect(backend.renewLease(member, route, ROLLOUT, 1, never)).resolves.toBe(false);
  const page = await backend.readEvidence(member, route, ROLLOUT, null, never);
  expect(page.open).toMatchObject({ generation: 1, rollout: ROLLOUT, inForce: false });
  expect(page.open.leaseExpiresAt).toBeLessThan(page.now);
});

it('takes evidence once it is closed, again until it is acknowledged, and never after', async () => {
  await backend.writeSplit(member, route, canarySplit(), {}, never);
  for (let request = 0; request < 8; request += 1)
    await chat(fixture.router, { headers: { 'x-user-id': `u-${request}` } });
  const open = await backend.readEvidence(member, route, ROLLOUT, null, never);
  expect(open.records).toEqual([]);
  expect(open.open.recent.stable.started + open.open.recent.candidate.started).toBe(8);
  fixture.clock.advance(20_000);
  const first = await backend.readEvidence(member, route, ROLLOUT, null, never);
  expect(first.records.reduce((sum, record) => sum + record.error.trials, 0)).toBe(8);
  expect(first.closedThrough).toBeGreaterThan(open.closedThrough);
  const again = await backend.readEvidence(member, route, ROLLOUT, null, never);
  expect(again.records).toEqual(first.records);
  await backend.acknowledge(member, route, first.cursor, never);
  const after = await backend.readEvidence(member, route, ROLLOUT, first.cursor, never);
  expect(after.records).toEqual([]);
  const restarted = await backend.readEvidence(member, route, ROLLOUT, null, never);
  expect(restarted.records).toEqual([]);
});

it('says that a token or a route is wrong', async () => {
  const wrong = createSluiceRouterBackend({ config: () => ({ fleet: [] }), env: { TOKEN: 'wrong' } });
  onTestFinished(() => wrong.close());
  await expect(wrong.readSplit(member, route, never)).rejects.toMatchObject({ code: 'router-unauthorized' });
  await expect(backend.readSplit(member, routeName('sales'), never)).rejects.toMatchObject({ code: 'route-unknown' });
});

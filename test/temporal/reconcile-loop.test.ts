import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createSluiceRouterBackend } from '../../src/backends/sluice-router.js';
import type { SluiceRouterBackend } from '../../src/backends/sluice-router.js';
import type { RouteRow } from '../../src/ledger/ledger.js';
import { rolloutId, routeName, stageName, upstreamName } from '../../src/plan/ids.js';
import type { Split } from '../../src/plan/split.js';
import { reconcileOnce } from '../../src/temporal/reconcile-loop.js';
import { ADMIN_TOKEN, ADMIN_TOKEN_ENV, FakeRouter, restingSplit } from '../helpers/fake-router.js';
import { VirtualClock } from '../helpers/virtual-clock.js';

const never = new AbortController().signal;
const row: RouteRow = {
  route: routeName('support'),
  stable: upstreamName('new'),
  split: restingSplit('new', 12),
  updatedAt: 0,
};
const running: Split = {
  ...restingSplit(),
  generation: 7,
  rollout: rolloutId('support@2026-11-24T09:00:00Z'),
  stage: stageName('canary-5'),
  upstreams: { stable: upstreamName('old'), candidate: upstreamName('new') },
  lease: { seconds: 60, onExpiry: 'stable' },
};

let clock: VirtualClock;
let one: FakeRouter;
let two: FakeRouter;
let backend: SluiceRouterBackend;
const messages: string[] = [];
const log = { info: (message: string) => messages.push(message), warn: (message: string) => messages.push(message) };

beforeEach(async () => {
  messages.length = 0;
  clock = new VirtualClock();
  one = await new FakeRouter({ clock }).start();
  two = await new FakeRouter({ clock }).start();
  backend = createSluiceRouterBackend({
    config: () => ({
      fleet: [one, two].map(({ address }) => ({ kind: 'address', admin: address, tokenEnv: ADMIN_TOKEN_ENV })),
    }),
    env: { [ADMIN_TOKEN_ENV]: ADMIN_TOKEN },
  });
});

afterEach(async () => {
  await Promise.all([one.close(), two.close(), backend.close()]);
});

const pass = (): ReturnType<typeof reconcileOnce> =>
  reconcileOnce({ backend, ledger: { routeRows: async () => [row] }, log }, never);

describe('reconcileOnce', () => {
  it('gives a new member the resting split, once', async () => {
    one.split = row.split;
    await expect(pass()).resolves.toEqual({ written: [{ route: 'support', address: two.address }], failed: [] });
    expect(two.split).toEqual(row.split);
    await expect(pass()).resolves.toEqual({ written: [], failed: [] });
  });

  it('leaves a rollout in force alone, and takes over when its lease has run out', async () => {
    for (const router of [one, two]) {
      router.split = running;
      router.leaseExpiresAt = clock.trueNow() + 60_000;
    }
    await expect(pass()).resolves.toEqual({ written: [], failed: [] });
    expect(one.split).toEqual(running);
    await clock.sleep(61_000);
    const report = await pass();
    expect(report.written).toHaveLength(2);
    expect(one.split).toEqual(row.split);
  });

  it('leaves a member with a higher generation alone', async () => {
    one.split = restingSplit('old', 13);
    two.split = restingSplit('old', 12);
    await expect(pass()).resolves.toEqual({ written: [], failed: [] });
  });

  it('says which member it could not reach and mends the other', async () => {
    one.cutOff = true;
    const report = await pass();
    expect(report.written).toEqual([{ route: 'support', address: two.address }]);
    expect(report.failed).toMatchObject([{ route: 'support', address: one.address }]);
    expect(messages.join('\n')).toContain(one.address);
  });
});

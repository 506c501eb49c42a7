import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SetSplitInput } from '../../activities/types.js';
import { rolloutId } from '../../src/plan/ids.js';
import type { Split } from '../../src/plan/split.js';
import type { FakeRouter } from '../helpers/fake-router.js';
import { restingSplit } from '../helpers/fake-router.js';
import { closeWorlds, configOf, failureOf, ROUTE, TestWorld } from './harness.js';

const OTHER = rolloutId('support@2026-11-25T09:00:00Z');

let world: TestWorld;
let one: FakeRouter;
let two: FakeRouter;
let three: FakeRouter;
let split: Split;

beforeEach(async () => {
  world = await TestWorld.create({ routers: 3 });
  await world.store();
  split = world.split('canary-50', 5);
  const [first, second, third] = world.routers;
  if (first === undefined || second === undefined || third === undefined) throw new Error('three routers are needed');
  [one, two, three] = [first, second, third];
});

afterEach(closeWorlds);

function input(overrides: Partial<SetSplitInput> = {}): SetSplitInput {
  const members = world.routers.map(({ member }) => member);
  return { route: ROUTE, split, members, confirm: 'all', takeOver: null, ...overrides };
}

const write = (overrides: Partial<SetSplitInput> = {}) => world.call((worker) => worker.setSplit(input(overrides)));

describe('an increase', () => {
  it('reaches every member, and repeating it is harmless', async () => {
    const first = await write();
    expect(first.confirmed.toSorted()).toEqual(world.routers.map(({ address }) => address).toSorted());
    expect(first).toMatchObject({ outstanding: [], highestGeneration: 5 });
    await expect(write()).resolves.toEqual(first);
    for (const router of world.routers) expect(router.split).toEqual(split);
  });

  it('finds members of the fleet that the workflow has not seen', async () => {
    const result = await write({ members: [] });
    expect(result.members).toHaveLength(3);
    expect(three.split).toEqual(split);
  });

  it('fails retryably while one member is cut off, and names it', async () => {
    two.cutOff = true;
    const failure = await failureOf(write());
    expect(failure).toMatchObject({ type: 'fleet-not-converged', nonRetryable: false });
    expect(failure.message).toContain(`2 of 3 members took generation 5`);
    expect(failure.message).toContain(two.address);
    two.cutOff = false;
    await expect(write()).resolves.toMatchObject({ outstanding: [] });
  });

  it('does not wait for a member that has left the fleet', async () => {
    two.cutOff = true;
    world.config = configOf([one, three], '');
    const result = await write();
    expect(result.outstanding).toEqual([]);
    expect(result.members.map(({ address }) => address)).toContain(two.address);
  });

  it('fails for good where the token is refused', async () => {
    two.answerWith = { status: 401, body: '{"error":{"code":"unauthorized"}}' };
    await expect(failureOf(write())).resolves.toMatchObject({ type: 'router-unauthorized', nonRetryable: true });
  });

  it('says why a router refuses an upstream that it does not know', async () => {
    two.answerWith = {
      status: 422,
      body: '{"error":{"code":"upstream-unknown","message":"upstream \\"new\\" is not among upstreams"}}',
    };
    const failure = await failureOf(write());
    expect(failure.message).toContain('upstream "new" is not among upstreams');
  });

  it('gives back a higher generation to be exceeded', async () => {
    two.split = { ...split, generation: 8 };
    two.leaseExpiresAt = world.clock.trueNow() + 15_000;
    const result = await write();
    expect(result).toMatchObject({ outstanding: [two.address], highestGeneration: 8 });
    const above = { ...split, generation: 9 };
    await expect(write({ split: above })).resolves.toMatchObject({ outstanding: [], highestGeneration: 9 });
  });

  it("fails for good on another rollout's split, whichever generation it has, and names it", async () => {
    for (const generation of [2, 8]) {
      two.split = { ...split, generation, rollout: OTHER };
      two.leaseExpiresAt = world.clock.trueNow() + 15_000;
      const failure = await failureOf(write());
      expect(failure).toMatchObject({ type: 'route-owned', nonRetryable: true });
      expect(failure.message).toContain(OTHER);
      expect(failure.message).toContain(two.address);
    }
  });

  it('takes over with a reason', async () => {
    two.split = { ...split, generation: 2, rollout: OTHER };
    two.leaseExpiresAt = world.clock.trueNow() + 15_000;
    await expect(write({ takeOver: { reason: 'the other one is lost' } })).resolves.toMatchObject({ outstanding: [] });
    expect(two.takeOvers).toEqual(['the other one is lost']);
  });
});

describe('a rollback', () => {
  const back = (): SetSplitInput => ({
    ...input(),
    split: { ...split, generation: 6, weights: { stable: 1, candidate: 0 }, lease: null },
    confirm: 'reach',
  });

  beforeEach(() => world.obey(split));

  it('reaches whom it can at once and names who is outstanding', async () => {
    two.cutOff = true;
    const result = await world.call((worker) => worker.setSplit(back()));
    expect(result.outstanding).toEqual([two.address]);
    expect(one.split.weights.candidate).toBe(0);
    expect(three.split.weights.candidate).toBe(0);
  });

  it('needs no ledger', async () => {
    two.cutOff = true;
    world.faults.down = true;
    const result = await world.call((worker) => worker.setSplit(back()));
    expect(result.outstanding).toEqual([two.address]);
    expect(one.split.weights.candidate).toBe(0);
  });

  it('counts a member that another rollout holds as done, and one with a higher generation of its own as outstanding', async () => {
    two.split = { ...split, generation: 9, rollout: OTHER };
    three.split = { ...split, generation: 9 };
    const result = await world.call((worker) => worker.setSplit(back()));
    expect(result).toMatchObject({ outstanding: [three.address], highestGeneration: 9 });
  });

  it('is complete when all have it', async () => {
    const result = await world.call((worker) => worker.setSplit(back()));
    expect(result).toMatchObject({ outstanding: [] });
  });
});

describe('reconcileRoutes', () => {
  it('keeps the row and brings every member to it', async () => {
    const resting = { ...restingSplit('new', 12), rollout: split.rollout };
    two.cutOff = true;
    const keep = { route: ROUTE, split: resting, members: [] };
    const first = await world.call((worker) => worker.reconcileRoutes(keep));
    expect(first).toMatchObject({ outstanding: [two.address], highestGeneration: 12 });
    await expect(world.disk.routeRow(ROUTE)).resolves.toMatchObject({ stable: 'new', split: resting });
    two.cutOff = false;
    const second = await world.call((worker) => worker.reconcileRoutes(keep));
    expect(second.outstanding).toEqual([]);
    expect(two.split).toEqual(resting);
  });

  it('gives back the generation of a newer row', async () => {
    await world.call((worker) => worker.reconcileRoutes({ route: ROUTE, split: restingSplit('new', 20), members: [] }));
    const result = await world.call((worker) =>
      worker.reconcileRoutes({ route: ROUTE, split: restingSplit('old', 12), members: [] }),
    );
    expect(result.highestGeneration).toBe(20);
    await expect(world.disk.routeRow(ROUTE)).resolves.toMatchObject({ stable: 'new' });
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeRouter, restingSplit } from '../../helpers/fake-router.js';
import { rolloutId } from '../../../src/plan/ids.js';
import type { Split } from '../../../src/plan/split.js';
import { closeWorlds, configOf, ROLLOUT, TestWorld } from '../harness.js';
import { HEALTHY } from '../traffic.js';

let world: TestWorld;
let one: FakeRouter;
let two: FakeRouter;
let split: Split;

beforeEach(async () => {
  world = await TestWorld.create({ routers: 2, traffic: HEALTHY });
  await world.store();
  split = world.split('canary-50', 4);
  await world.obey(split);
  const [first, second] = world.routers;
  if (first === undefined || second === undefined) throw new Error('two routers are needed');
  one = first;
  two = second;
});

afterEach(closeWorlds);

const puts = (router: FakeRouter): number => router.calls.filter((call) => call.startsWith('PUT ')).length;

describe('a member that has drifted', () => {
  it('gets exactly the split in force again, and nobody hears of it', async () => {
    world.clock.at(3_000, () => {
      two.split = restingSplit('old', 3);
      two.leaseExpiresAt = null;
    });
    const result = await world.sample(world.samplingInput(split, { forMs: 10_000 }));
    expect(result).toMatchObject({ reason: 'scheduled', evidence: 'ok', highestGeneration: 4 });
    expect(two.split).toEqual(split);
    expect(two.inForce).toBe(true);
    expect(puts(two)).toBe(2);
  });

  it('is mended as a new member of the fleet, and its evidence counts from then on', async () => {
    const joined = await new FakeRouter({ clock: world.clock, replica: 'replica-3', traffic: HEALTHY }).start();
    world.clock.at(5_000, () => {
      world.config = configOf([one, two, joined], '');
    });
    const result = await world.sample(world.samplingInput(split, { forMs: 30_000 }));
    expect(joined.split).toEqual(split);
    expect(result.members.map(({ address }) => address)).toContain(joined.address);
    expect(result.evidence).toBe('ok');
    await joined.close();
    const replicas = new Set<string>();
    for await (const batch of world.disk.evidence(ROLLOUT, 0, Number.MAX_SAFE_INTEGER)) {
      for (const record of batch) replicas.add(record.replica);
    }
    expect(replicas).toContain('replica-3');
  });

  it('that holds a higher generation is reported at once and never fought', async () => {
    const higher = { ...split, generation: 9 };
    world.clock.at(3_000, () => {
      two.split = higher;
    });
    const result = await world.sample(world.samplingInput(split));
    expect(result).toMatchObject({ reason: 'evidence-state', evidence: 'router-not-converged', highestGeneration: 9 });
    expect(result.detail).toContain(`${two.address} obeys generation 9`);
    expect(two.split).toEqual(higher);
    expect(puts(two)).toBe(1);
  });

  it("with another rollout's split is reported and left alone", async () => {
    const other = { ...split, generation: 2, rollout: rolloutId('support@2026-11-25T09:00:00Z') };
    world.clock.at(3_000, () => {
      two.split = other;
    });
    const result = await world.sample(world.samplingInput(split));
    expect(result).toMatchObject({ reason: 'evidence-state', evidence: 'router-not-converged', highestGeneration: 4 });
    expect(result.detail).toContain('support@2026-11-25T09:00:00Z');
    expect(two.split).toEqual(other);
  });

  it('whose lease ran out is reported with how long the split was out, and is not written', async () => {
    two.leaseExpiresAt = world.clock.trueNow() - 7_000;
    const result = await world.sample(world.samplingInput(split));
    expect(result).toMatchObject({
      reason: 'evidence-state',
      evidence: 'router-not-converged',
      expired: [two.address],
      notInForceMs: 7_000,
      highestGeneration: 4,
    });
    expect(puts(two)).toBe(1);
    expect(two.renewals).toBe(0);
  });
});

describe('a member that is cut off', () => {
  it('is told after the grace, by name, and told again when it is back', async () => {
    world.clock.at(3_000, () => {
      two.cutOff = true;
    });
    const worker = world.worker();
    const lost = await world.sample(world.samplingInput(split), { worker });
    expect(lost).toMatchObject({ reason: 'evidence-state', evidence: 'router-not-converged' });
    expect(lost.detail).toContain(two.address);
    // The fourth poll, 250 ms apart.
    expect(world.clock.elapsedMs).toBe(3_750);

    world.clock.at(8_000, () => {
      two.cutOff = false;
    });
    const back = await world.sample(world.samplingInput(split, { evidence: 'router-not-converged' }), { worker });
    expect(back).toMatchObject({ reason: 'evidence-state', evidence: 'ok', detail: '' });
  });

  it('holds the frontier for its grace, then the others go on and its part is marked incomplete', async () => {
    const worker = world.worker();
    const start = world.clock.trueNow();
    two.cutOff = true;
    const input = world.samplingInput(split, { evidence: 'router-not-converged' });
    const early = await world.sample({ ...input, forMs: 9_000 }, { worker });
    expect(early.position.closedThrough).toBeLessThanOrEqual(start);
    const later = await world.sample({ ...input, forMs: 15_000 }, { worker });
    expect(later.position.closedThrough).toBeGreaterThan(start + 9_000);
    const look = await world.call(
      (assessor) =>
        assessor.assess({
          rollout: ROLLOUT,
          stage: input.stage,
          position: later.position,
          promoteFromGeneration: 4,
          lookId: 'look',
          why: 'scheduled',
        }),
      { worker },
    );
    expect(look.incompleteShare).toBeGreaterThan(0);
    expect(look.requests.candidate).toBeGreaterThan(0);
  });

  it('is not waited for once it has left the fleet', async () => {
    world.config = configOf([one], '');
    two.cutOff = true;
    const result = await world.sample(world.samplingInput(split, { forMs: 20_000 }));
    expect(result).toMatchObject({ reason: 'scheduled', evidence: 'ok' });
    expect(result.members.map(({ address }) => address)).toContain(two.address);
  });

  it('does not hold up the renewal of the others', async () => {
    two.cutOff = true;
    await world.sample(world.samplingInput(split, { evidence: 'router-not-converged', forMs: 20_000 }));
    expect(one.inForce).toBe(true);
    expect(two.inForce).toBe(false);
  });
});

it('a restarted member loses nothing that was closed', async () => {
  const worker = world.worker();
  two.loseAcks = Number.POSITIVE_INFINITY;
  world.clock.at(4_000, () => two.restart('process-2'));
  const result = await world.sample(world.samplingInput(split, { forMs: 12_000 }), { worker });
  expect(result.evidence).toBe('ok');
  const keys = new Set<string>();
  for await (const batch of world.disk.evidence(ROLLOUT, 0, Number.MAX_SAFE_INTEGER)) {
    for (const record of batch) keys.add(`${record.replica} ${record.intervalStart} ${record.variant}`);
  }
  expect(keys.size).toBe(2 * 2 * 12);
});

describe('clocks', () => {
  it('of a router that is ten seconds ahead are told with its name', async () => {
    two.nowOffsetMs = 10_000;
    const result = await world.sample(world.samplingInput(split));
    expect(result).toMatchObject({ reason: 'evidence-state', evidence: 'clock-skew' });
    expect(result.detail).toContain(`${two.address} is 10.0 s ahead of Temporal's`);
  });

  it("of a worker that is an hour wrong don't matter", async () => {
    world.clock.wallOffsetMs = -3_600_000;
    const result = await world.sample(world.samplingInput(split, { forMs: 10_000 }));
    expect(result).toMatchObject({ reason: 'scheduled', evidence: 'ok' });
    expect(world.clock.elapsedMs).toBe(10_000);
  });

  it('count a task that waited in its queue from its schedule', async () => {
    const scheduled = world.clock.trueNow();
    await world.clock.sleep(6_000);
    const environment = world.environment({
      scheduledTimestampMs: scheduled,
      currentAttemptScheduledTimestampMs: scheduled,
    });
    const result = await world.sample(world.samplingInput(split, { forMs: 10_000 }), { environment });
    expect(result).toMatchObject({ reason: 'scheduled', evidence: 'ok' });
    expect(world.clock.elapsedMs).toBe(10_000);
  });
});

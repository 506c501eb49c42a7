import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Split } from '../../../src/plan/split.js';
import { closeWorlds, failureOf, ROLLOUT, TestWorld } from '../harness.js';
import { HEALTHY } from '../traffic.js';

let world: TestWorld;
let split: Split;

beforeEach(async () => {
  world = await TestWorld.create({ traffic: HEALTHY });
  await world.store();
  // The lease is 15 s: renewed at once and then every 5 s.
  split = world.split('canary-50');
  await world.obey(split);
});

afterEach(closeWorlds);

describe('a lease', () => {
  it('is renewed at once and every third of its length', async () => {
    await world.sample(world.samplingInput(split, { forMs: 21_000 }));
    expect(world.router.renewals).toBe(5);
    expect(world.router.inForce).toBe(true);
  });

  it('is not renewed while Temporal does not answer, and runs out', async () => {
    world.run = null;
    const result = await world.sample(world.samplingInput(split));
    expect(world.router.renewals).toBe(0);
    expect(result).toMatchObject({ reason: 'evidence-state', expired: [world.router.address] });
    expect(world.clock.elapsedMs).toBe(15_000);
    expect(world.warnings.join('\n')).toContain('Temporal is away');
  });

  it('is not renewed on what Temporal said before it was lost', async () => {
    world.clock.at(6_000, () => {
      world.run = null;
    });
    const result = await world.sample(world.samplingInput(split));
    // Renewed at 0 and 5 s, and never on the strength of those answers again.
    expect(world.router.renewals).toBe(2);
    expect(result.expired).toEqual([world.router.address]);
  });

  it('is not renewed while the ledger takes no commit, and nothing is acknowledged', async () => {
    world.clock.at(6_000, () => {
      world.faults.down = true;
    });
    const result = await world.sample(world.samplingInput(split));
    expect(world.router.renewals).toBe(2);
    expect(result).toMatchObject({ reason: 'evidence-state', expired: [world.router.address] });
    expect(world.router.queued).toBeGreaterThan(10);
    expect(world.warnings.join('\n')).toContain('the ledger does not answer');
  });

  it('is renewed again when the ledger is back in time, with everything that had waited', async () => {
    world.clock.at(6_000, () => {
      world.faults.down = true;
    });
    world.clock.at(12_000, () => {
      world.faults.down = false;
    });
    const result = await world.sample(world.samplingInput(split, { forMs: 25_000 }));
    expect(result).toMatchObject({ reason: 'scheduled', evidence: 'ok', expired: [] });
    expect(result.position.closedThrough).toBe(world.clock.trueNow());
    expect(world.router.queued).toBe(0);
  });

  it('is renewed although nobody uses the route: the commit itself is the proof', async () => {
    const idle = await TestWorld.create({ traffic: () => [] });
    await idle.store();
    await idle.obey(idle.split('canary-50'));
    await idle.sample(idle.samplingInput(idle.split('canary-50'), { evidence: 'no-traffic', forMs: 21_000 }));
    expect(idle.router.inForce).toBe(true);
    expect(idle.router.renewals).toBe(5);
  });
});

it('a hard stop is found while the ledger is down', async () => {
  const worker = world.worker();
  world.clock.at(2_000, () => {
    world.faults.down = true;
  });
  world.clock.at(5_000, () => {
    world.router.recent = { stable: { started: 100, failed: 0 }, candidate: { started: 100, failed: 100 } };
  });
  const result = await world.sample(world.samplingInput(split), { worker });
  expect(result.reason).toBe('hard-stop');
  expect(world.clock.elapsedMs).toBe(5_000);
});

it('waits for a ledger that is down from the start', async () => {
  world.faults.down = true;
  world.clock.at(4_000, () => {
    world.faults.down = false;
  });
  const result = await world.sample(world.samplingInput(split, { forMs: 10_000 }));
  expect(result.reason).toBe('scheduled');
  expect(world.clock.elapsedMs).toBe(10_000);
});

it('fails retryably when the ledger never came', async () => {
  world.faults.down = true;
  const failure = await failureOf(world.sample(world.samplingInput(split, { forMs: 10_000 })));
  expect(failure).toMatchObject({ type: 'ledger-unavailable', nonRetryable: false });
});

it('stops when Temporal says that the run has ended', async () => {
  world.clock.at(7_000, () => {
    world.run = { open: false, attemptStartedAt: null };
  });
  const failure = await failureOf(world.sample(world.samplingInput(split)));
  expect(failure).toMatchObject({ type: 'run-closed', nonRetryable: true });
  expect(failure.message).toContain(ROLLOUT);
  expect(world.router.renewals).toBe(2);
});

describe('cancellation', () => {
  it('by the workflow ends the watch at once, cancelled', async () => {
    const environment = world.environment();
    world.clock.at(3_000, () => environment.cancel());
    await expect(world.sample(world.samplingInput(split), { environment })).rejects.toThrow('cancelled');
    expect(world.clock.elapsedMs).toBe(3_000);
  });

  it('by the shutdown of the worker fails so that another one goes on', async () => {
    const environment = world.environment();
    world.clock.at(3_000, () => environment.cancel('WORKER_SHUTDOWN'));
    const failure = await failureOf(world.sample(world.samplingInput(split), { environment }));
    expect(failure).toMatchObject({ type: 'worker-shutdown', nonRetryable: false });
  });
});

describe('a route that nobody uses', () => {
  it('is told after 10 s in a stage of seconds, and told again with the first closed interval', async () => {
    let used = false;
    const idle = await TestWorld.create({ traffic: (interval) => (used ? HEALTHY(interval) : []) });
    await idle.store();
    await idle.obey(idle.split('canary-50'));
    const input = idle.samplingInput(idle.split('canary-50'));
    const worker = idle.worker();
    const quiet = await idle.sample(input, { worker });
    expect(quiet).toMatchObject({ reason: 'evidence-state', evidence: 'no-traffic' });
    expect(idle.clock.elapsedMs).toBe(10_000);
    idle.clock.at(14_000, () => {
      used = true;
    });
    const back = await idle.sample({ ...input, evidence: 'no-traffic' }, { worker });
    expect(back).toMatchObject({ reason: 'evidence-state', evidence: 'ok' });
    expect(idle.clock.elapsedMs).toBe(14_000);
  });
});

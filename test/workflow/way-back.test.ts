import { fileURLToPath } from 'node:url';
import { WorkflowFailedError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { expect, it } from 'vitest';
import { createFakeWorld, writesOf } from './fakes.js';
import type { Call, FakeWorld } from './fakes.js';
import { by, stage, text } from './harness.js';
import { crossing, guardrail } from './looks.js';
import { fiveWeeks, HOUR, planOf, twoHours } from './plans.js';

const play = stage();

function expectStable({ fleet }: FakeWorld): void {
  for (const { split } of fleet)
    expect(split).toMatchObject({
      lease: null,
      weights: { stable: 1, candidate: 0 },
      mirror: { share: 0 },
      upstreams: { stable: 'llama-31', candidate: null },
    });
}

function isRollbackWrite({ name, input }: Call): boolean {
  return name === 'setSplit' && input.confirm === 'reach';
}

it('takes a crossing back to stable first, and only then looks, writes down and tells', async () => {
  const world = createFakeWorld(fiveWeeks());
  world.findings.push({
    stage: 'canary-5',
    afterMs: 2 * HOUR,
    result: { crossing: crossing('rollback', 'error_rate') },
  });
  await play(world, async (scene) => {
    const breached = guardrail({ verdict: 'breached', why: '5% errors against 1%, e-value 24' });
    world.lookOf = () => (world.findings.length === 0 ? { guardrails: { error_rate: breached } } : {});
    expect(await scene.result()).toMatchObject({
      state: 'rolled-back',
      stage: 'canary-5',
      guardrails: ['error_rate'],
      reason: text(/error_rate/),
      evidence: 'error_rate: 5% errors against 1%, e-value 24',
      by: 'sluice',
    });
    expectStable(world);
    const names = world.calls.map(({ name }) => name);
    const write = world.calls.findIndex(isRollbackWrite);
    expect(names[write - 1]).toBe('sampleTraffic');
    expect(new Set(names.slice(write + 1))).toEqual(new Set(['assess', 'reconcileRoutes', 'recordDecision', 'notify']));
    expect(world.ledger.at(-1)).toMatchObject({ action: 'rollback', look: text(/\/canary-5\/\d+$/) });
    expect(world.told.at(-1)?.event).toBe('rolled-back');
  });
});

it('takes a candidate that fails outright back on a limit, and calls it one', async () => {
  const world = createFakeWorld(twoHours());
  const hardStop = { candidate: { started: 40, failed: 38 }, stable: { started: 400, failed: 2 } };
  world.findings.push({ stage: 'canary-5', afterMs: 8_000, result: { hardStop } });
  await play(world, async (scene) => {
    expect(await scene.result()).toMatchObject({
      state: 'rolled-back',
      reason: text(/^hard stop \(a limit, not a test\): 38 of 40 .* 2 of 400 of stable$/),
      guardrails: [],
    });
    expectStable(world);
  });
});

it('rolls back although ledger and webhooks are down, and ends', async () => {
  const world = createFakeWorld(twoHours());
  world.findings.push({ stage: 'canary-5', afterMs: 70_000, result: { crossing: crossing('rollback', 'error_rate') } });
  await play(world, async (scene) => {
    await scene.pass(65_000);
    world.before = ({ name }) => {
      if (name === 'assess' || name === 'recordDecision' || name === 'notify' || name === 'reconcileRoutes')
        throw ApplicationFailure.create({ type: 'ledger-unavailable', message: 'down' });
    };
    expect(await scene.result()).toMatchObject({ state: 'rolled-back', guardrails: ['error_rate'] });
    expectStable(world);
    expect((await scene.status()).flags).toContain(
      'the ledger does not know yet that support rests on llama-31: reconcileRoutes failed: down',
    );
  });
});

it('rolls back while a split is being written', async () => {
  const world = createFakeWorld(twoHours());
  const [, cutOff] = world.fleet;
  world.before = (call) => {
    if (call.name === 'setSplit' && call.input.split.stage === 'canary-50' && cutOff !== undefined)
      cutOff.reachable = isRollbackWrite(call);
  };
  await play(world, async (scene) => {
    // A minute into the five in which the split of the second stage is tried.
    await scene.pass(HOUR + 60_000);
    expect(await scene.status()).toMatchObject({ state: 'running', stage: { name: 'canary-50', startedAt: null } });
    const [first] = world.fleet;
    expect(first?.split?.weights.candidate).toBe(0.5);
    expect(await scene.update('rollback', by('ann'))).toMatchObject({ state: 'rolling-back', stage: 'canary-50' });
    expect(await scene.result()).toMatchObject({ state: 'rolled-back', by: 'ann', reason: 'because ann says so' });
    expectStable(world);
  });
});

it('names the routers that have not confirmed, and writes again until they have', async () => {
  const world = createFakeWorld(twoHours(), { members: 3 });
  const [, cutOff] = world.fleet;
  await play(world, async (scene) => {
    await scene.pass(600_000);
    if (cutOff !== undefined) cutOff.reachable = false;
    await scene.update('rollback', by('ann'));
    await scene.pass(60_000);
    expect(await scene.status()).toMatchObject({
      state: 'rolling-back',
      outstanding: ['http://router-2:8701'],
      outcome: null,
    });
    await expect(scene.update('promote', by('bob'))).rejects.toMatchObject({
      cause: { type: 'not-applicable', message: text(/rolling back already, asked by ann.*router-2/) },
    });
    await scene.signal('promote', by('bob'));
    if (cutOff !== undefined) cutOff.reachable = true;
    expect(await scene.result()).toMatchObject({ state: 'rolled-back' });
    expectStable(world);
    expect(world.told.map(({ event }) => event)).toContain('rolling-back');
  });
});

it('is done when the last lease has run out, and not before', async () => {
  const world = createFakeWorld(twoHours(), { members: 3 });
  const [, cutOff] = world.fleet;
  await play(world, async (scene) => {
    await scene.pass(600_000);
    if (cutOff !== undefined) cutOff.reachable = false;
    await scene.update('rollback', by('ann'));
    const { at } = await scene.result();
    const since = world.calls.find(isRollbackWrite)?.at ?? 0;
    expect(at - since).toBeGreaterThanOrEqual(900_000);
    expect((await scene.status()).flags).toContain(
      'http://router-2:8701 has not confirmed the way back; its last lease has run out, so that it serves llama-31',
    );
    // Written again meanwhile, always under the same generation.
    const writes = writesOf(world).filter(({ confirm }) => confirm === 'reach');
    expect(writes.length).toBeGreaterThan(5);
    expect(new Set(writes.map(({ split }) => split.generation)).size).toBe(1);
  });
});

it('does not trust the lease of a router that keeps its split', async () => {
  const { stages } = twoHours();
  const world = createFakeWorld(planOf(stages, { lease: { seconds: 900, onExpiry: 'keep' } }));
  const [, cutOff] = world.fleet;
  await play(world, async (scene) => {
    await scene.pass(600_000);
    if (cutOff !== undefined) cutOff.reachable = false;
    await scene.update('rollback', by('ann'));
    await scene.pass(24 * HOUR);
    expect(await scene.status()).toMatchObject({ state: 'rolling-back', outstanding: ['http://router-2:8701'] });
    if (cutOff !== undefined) cutOff.reachable = true;
    expect(await scene.result()).toMatchObject({ state: 'rolled-back' });
    expectStable(world);
  });
});

it('goes above a generation that somebody else wrote meanwhile', async () => {
  const world = createFakeWorld(twoHours());
  await play(world, async (scene) => {
    await scene.pass(600_000);
    const [first] = world.fleet;
    if (first?.split) first.split = { ...first.split, generation: 90 };
    await scene.update('rollback', by('ann'));
    expect(await scene.result()).toMatchObject({ state: 'rolled-back' });
    expectStable(world);
    expect(world.fleet.map(({ split }) => split?.generation)).toEqual([91, 91]);
  });
});

it('does the same when the workflow is cancelled, and ends cancelled', async () => {
  const world = createFakeWorld(twoHours());
  await play(world, async (scene) => {
    await scene.pass(600_000);
    await scene.cancel();
    const ended = scene.result();
    await expect(ended).rejects.toBeInstanceOf(WorkflowFailedError);
    await expect(ended).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    expectStable(world);
    expect(await scene.status()).toMatchObject({ state: 'cancelled', outcome: { state: 'cancelled' } });
    expect(world.ledger.at(-1)).toMatchObject({ action: 'cancel' });
    expect(world.told.at(-1)?.event).toBe('cancelled');
  });
});

it('finishes a rollback although the workflow is cancelled meanwhile', async () => {
  const world = createFakeWorld(twoHours());
  const [, cutOff] = world.fleet;
  await play(world, async (scene) => {
    await scene.pass(600_000);
    if (cutOff !== undefined) cutOff.reachable = false;
    await scene.update('rollback', by('ann'));
    await scene.pass(30_000);
    await scene.cancel();
    await scene.pass(30_000);
    expect(await scene.status()).toMatchObject({ state: 'rolling-back' });
    if (cutOff !== undefined) cutOff.reachable = true;
    expect(await scene.result()).toMatchObject({ state: 'rolled-back', by: 'ann' });
    expectStable(world);
  });
});

it('rolls back while the end of a promotion is being written', async () => {
  const world = createFakeWorld(twoHours());
  const [, cutOff] = world.fleet;
  world.before = ({ name }) => {
    if (name === 'reconcileRoutes' && cutOff !== undefined) cutOff.reachable = false;
  };
  await play(world, async (scene) => {
    await scene.pass(2.1 * HOUR);
    world.before = () => {};
    if (cutOff !== undefined) cutOff.reachable = true;
    await scene.update('rollback', by('ann'));
    expect(await scene.result()).toMatchObject({ state: 'rolled-back' });
    expectStable(world);
  });
});

it('takes a rollback before all other commands that wait with it', async () => {
  const world = createFakeWorld(fiveWeeks());
  // While the plan is being checked commands wait, so that all three are there when the first is taken.
  world.before = ({ name }) => {
    if (name === 'openRollout') throw ApplicationFailure.create({ message: 'the ledger is down' });
  };
  await play(world, async (scene) => {
    await scene.pass(1_000);
    await scene.signal('promote', by('bob', { to: 'end' }));
    await scene.signal('pause', by('bob'));
    await scene.signal('rollback', by('ann'));
    world.before = () => {};
    expect(await scene.result()).toMatchObject({ state: 'rolled-back', by: 'ann' });
    expect(world.written).toEqual([]);
  });
});

it('takes traffic back before a pipeline that has failed fails the workflow', async () => {
  const world = createFakeWorld(twoHours());
  const path = fileURLToPath(new URL('failing-pipeline.ts', import.meta.url));
  await play(
    world,
    async (scene) => {
      await expect(scene.result()).rejects.toMatchObject({ cause: { type: 'no-region' } });
      expectStable(world);
      expect(await scene.status()).toMatchObject({
        state: 'failed',
        outcome: { reason: 'the pipeline has failed: the second region is not there' },
      });
      expect(world.told.at(-1)?.event).toBe('failed');
    },
    { workflow: { path, type: 'failingPipeline', args: [{}] } },
  );
});

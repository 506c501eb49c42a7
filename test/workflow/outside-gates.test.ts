import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import type { TestWorkflowEnvironment } from '@temporalio/testing';
import { expect, it } from 'vitest';
import { createFakeWorld } from './fakes.js';
import type { FakeWorld } from './fakes.js';
import { by, stage, text } from './harness.js';
import { crossing } from './looks.js';
import { HOUR, planOf, stagePlan } from './plans.js';

const play = stage();

const hour = { durationMs: HOUR, lookTimesMs: [HOUR], intervalMs: 1_000, warmupMs: 60_000 };
const always = { kind: 'weekly', days: [1], fromMinute: 0, toMinute: 60, timeZone: 'UTC' } as const;

function start(world: FakeWorld, name: string): number {
  return world.ledger.find((decision) => decision.stage === name && decision.action === 'start')?.at ?? Number.NaN;
}

it('waits for the calendar window, asks again when it opens, and takes a look then', async () => {
  let opensAt = 0;
  const world = createFakeWorld(planOf([stagePlan('canary-5', { ...hour, window: always }), stagePlan('flip', hour)]), {
    checkGates: ({ now }) => {
      opensAt ||= now + 30 * HOUR;
      const open = now >= opensAt;
      return {
        gates: [{ kind: 'window', open, why: open ? 'open' : 'closed till Monday' }],
        opensAt: open ? null : opensAt,
      };
    },
  });
  await play(world, async (scene) => {
    await scene.pass(2 * HOUR);
    expect(await scene.status()).toMatchObject({
      state: 'running',
      gates: [{ open: true }, { open: true }, { kind: 'window', open: false, why: 'closed till Monday' }],
    });
    await scene.result();
    expect(start(world, 'flip')).toBeGreaterThanOrEqual(opensAt);
    expect(start(world, 'flip')).toBeLessThan(opensAt + 60_000);
    expect(world.calls.filter(({ name }) => name === 'checkGates')).toHaveLength(2);
  });
});

it('asks a check again, less and less often, and a person cannot promote past it', async () => {
  let passes = false;
  const world = createFakeWorld(
    planOf([stagePlan('canary-5', { ...hour, checks: ['evals'] }), stagePlan('flip', hour)]),
    {
      checkGates: () => ({ gates: [{ kind: 'check', open: passes, why: 'evals answered 503' }], opensAt: null }),
    },
  );
  await play(world, async (scene) => {
    await scene.pass(HOUR + 10 * 60_000);
    const asked = world.calls.filter(({ name }) => name === 'checkGates').length;
    expect(asked).toBe(4);
    await scene.update('promote', by('ann'));
    await scene.pass(20 * HOUR);
    expect((await scene.status()).stage.name).toBe('canary-5');
    expect(world.calls.filter(({ name }) => name === 'checkGates').length).toBeLessThan(asked + 25);
    passes = true;
    expect(await scene.result()).toMatchObject({ state: 'promoted', stage: 'flip' });
  });
});

const suite = { workflowType: 'evalSuite', taskQueue: 'evals', timeoutMs: 10 * HOUR };
const checked = planOf([stagePlan('canary-5', { ...hour, checks: ['suite'] }), stagePlan('flip', hour)]);

async function evals({ nativeConnection }: TestWorkflowEnvironment): Promise<() => Promise<void>> {
  const worker = await Worker.create({
    connection: nativeConnection,
    taskQueue: 'evals',
    workflowsPath: fileURLToPath(new URL('check-workflows.ts', import.meta.url)),
  });
  const running = worker.run();
  return async () => {
    worker.shutdown();
    await running;
  };
}

it('runs a check that is a workflow of the user, and watches the traffic meanwhile', async () => {
  const world = createFakeWorld(checked, { workflowChecks: { suite } });
  await play(
    world,
    async (scene) => {
      await scene.pass(2 * HOUR);
      expect((await scene.status()).gates.at(-1)).toMatchObject({
        kind: 'check',
        open: false,
        why: text(/being asked/),
      });
      expect(new Set(world.calls.slice(-2).map(({ name }) => name))).toEqual(new Set(['checkGates', 'sampleTraffic']));
      await scene.result();
      const [began, next] = [start(world, 'canary-5'), start(world, 'flip')];
      expect(Math.round((next - began) / 60_000)).toBe(180);
      // The stage ends on a look that was taken after the two hours of the check.
      expect(world.calls.filter(({ name }) => name === 'assess')).toHaveLength(3);
    },
    { around: evals },
  );
});

it('rolls back while a check runs', async () => {
  const world = createFakeWorld(checked, { workflowChecks: { suite } });
  world.findings.push({
    stage: 'canary-5',
    afterMs: 2 * HOUR,
    result: { crossing: crossing('rollback', 'error_rate') },
  });
  await play(
    world,
    async (scene) => {
      expect(await scene.result()).toMatchObject({ state: 'rolled-back', stage: 'canary-5' });
    },
    { around: evals },
  );
});

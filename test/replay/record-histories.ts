/**
 * Records histories of rollouts into `histories/<version>`, for the replay test. Run it with
 * `node scripts/record-histories.mjs`, once for each version that people may have running, and commit what it writes.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { expect, it, vi } from 'vitest';
import { z } from 'zod';
import { devServerExecutable } from '../helpers/tools.js';
import { bundleWorkflows } from '../helpers/workflow-bundle.js';
import { createFakeWorld } from '../workflow/fakes.js';
import { by, stage } from '../workflow/harness.js';
import type { Scene } from '../workflow/harness.js';
import { crossing } from '../workflow/looks.js';
import { DAY, HOUR, planOf, stagePlan, twoHours } from '../workflow/plans.js';
import { withoutTraces } from './without-traces.js';

const play = stage();

const manifest = z.object({ version: z.string() });
const root = fileURLToPath(new URL('../../', import.meta.url));
const { version } = manifest.parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
const directory = fileURLToPath(new URL(`histories/${version.split('.').slice(0, 2).join('.')}/`, import.meta.url));

function keep(name: string, history: Awaited<ReturnType<Scene['history']>>): void {
  mkdirSync(directory, { recursive: true });
  const json: unknown = JSON.parse(historyToJSON(history));
  writeFileSync(join(directory, `${name}.json`), `${JSON.stringify(withoutTraces(json), null, 1)}\n`);
}

it('promoted: looks, a pause, a manual gate, a check', async () => {
  const [first, second] = twoHours().stages;
  if (first === undefined || second === undefined) throw new Error('the plan has two stages');
  const world = createFakeWorld(planOf([first, { ...second, gate: 'manual', checks: ['evals'] }]), {
    checkGates: () => ({ gates: [{ kind: 'check', open: true, why: 'evals passed' }], opensAt: null }),
  });
  await play(world, async (scene) => {
    await scene.pass(0.5 * HOUR);
    await scene.update('pause', by('ann'));
    await scene.pass(2 * DAY);
    await scene.signal('resume', by('ann'));
    await scene.pass(4 * HOUR);
    await scene.update('promote', by('ann'));
    expect(await scene.result()).toMatchObject({ state: 'promoted' });
    keep('promoted', await scene.history());
  });
});

it('rolled back: a split that is not confirmed at once, a crossing, a router that is cut off', async () => {
  const world = createFakeWorld(twoHours(), { members: 3 });
  const [, cutOff] = world.fleet;
  if (cutOff === undefined) throw new Error('the fleet has three members');
  world.findings.push({
    stage: 'canary-50',
    afterMs: HOUR / 2,
    result: { crossing: crossing('rollback', 'error_rate') },
  });
  await play(world, async (scene) => {
    await scene.pass(1.2 * HOUR);
    cutOff.reachable = false;
    await scene.pass(0.4 * HOUR);
    cutOff.reachable = true;
    expect(await scene.result()).toMatchObject({ state: 'rolled-back' });
    keep('rolled-back', await scene.history());
  });
});

it('held: a hold, an outage, a flag, no evidence, a promotion to the end', async () => {
  const world = createFakeWorld(twoHours());
  const after = (minutes: number, result: Parameters<typeof world.findings.push>[0]['result']): void => {
    world.findings.push({ stage: 'canary-5', afterMs: minutes * 60_000, result });
  };
  after(2, { crossing: crossing('flag', 'response_rate') });
  after(3, { crossing: crossing('hold', 'refusal_rate') });
  after(20, { expired: ['http://router-1:8701'], notInForceMs: 600_000, evidence: 'router-not-converged' });
  after(21, { evidence: 'ok' });
  after(30, { evidence: 'no-traffic' });
  await play(world, async (scene) => {
    await scene.pass(0.2 * HOUR);
    await scene.update('resume', by('ann'));
    await scene.signal('promote', by('ann', { stage: 'canary-50' }));
    await scene.pass(0.5 * HOUR);
    await scene.update('promote', by('ann', { to: 'end' }));
    expect(await scene.result()).toMatchObject({ state: 'promoted', stage: 'canary-5' });
    keep('held', await scene.history());
  });
});

it('cancelled from outside', async () => {
  const world = createFakeWorld(twoHours());
  await play(world, async (scene) => {
    await scene.pass(0.5 * HOUR);
    await scene.cancel();
    await expect(scene.result()).rejects.toMatchObject({ cause: { name: 'CancelledFailure' } });
    keep('cancelled', await scene.history());
  });
});

it('continued: a run that ends by going on, and one that begins so', async () => {
  vi.setConfig({ testTimeout: 120_000 });
  const bundle = await bundleWorkflows();
  if (bundle === null) throw new Error('there is no workflows/index.ts to bundle');
  const extraArgs = ['--dynamic-config-value', 'limit.historyCount.suggestContinueAsNew=30'];
  const environment = await TestWorkflowEnvironment.createLocal({
    server: { executable: devServerExecutable(), extraArgs },
  });
  try {
    const short = { durationMs: 3_000, lookTimesMs: [500, 1_000, 2_000, 3_000], intervalMs: 1_000, warmupMs: 0 };
    const world = createFakeWorld(planOf([stagePlan('canary-5', short), stagePlan('flip', short)]));
    const taskQueue = 'sluice';
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue,
      workflowBundle: { codePath: bundle.path },
      activities: { ...world.activities },
    });
    await worker.runUntil(async () => {
      const { workflow } = environment.client;
      const started = await workflow.start('rollout', {
        taskQueue,
        workflowId: 'rollout/support',
        args: [{ plan: {} }],
      });
      expect(await started.result()).toMatchObject({ state: 'promoted' });
      const first = await workflow.getHandle('rollout/support', started.firstExecutionRunId).fetchHistory();
      keep('continued', first);
      const next = first.events?.at(-1)?.workflowExecutionContinuedAsNewEventAttributes?.newExecutionRunId ?? '';
      keep('continued-again', await workflow.getHandle('rollout/support', next).fetchHistory());
    });
  } finally {
    bundle.remove();
    await environment.teardown();
  }
});

import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { promisify } from 'node:util';
import type { WorkflowHandle } from '@temporalio/client';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, expect, inject, it, vi } from 'vitest';
import { routeName } from '../../src/plan/ids.js';
import type { Outcome, RolloutStatus } from '../../src/plan/status.js';
import type { Plan } from '../../src/plan/types.js';
import { searchAttributeFlags } from '../../src/temporal/search-attributes.js';
import type { CommandName, CommandResult } from '../../workflows/state.js';
import { devServerExecutable, temporalCliPath } from '../helpers/tools.js';
import { createFakeWorld } from './fakes.js';
import type { FakeWorld } from './fakes.js';
import { by, text } from './harness.js';
import { planOf, stagePlan } from './plans.js';

// Every run is long enough to be continued after its first look.
const CONTINUE_AFTER_EVENTS = 5;

let environment: TestWorkflowEnvironment;

beforeAll(async () => {
  environment = await TestWorkflowEnvironment.createLocal({
    server: {
      executable: devServerExecutable(),
      extraArgs: [
        '--dynamic-config-value',
        `limit.historyCount.suggestContinueAsNew=${CONTINUE_AFTER_EVENTS}`,
        ...searchAttributeFlags().flatMap((attribute) => ['--search-attribute', attribute]),
      ],
    },
  });
});

afterAll(async () => {
  await environment.teardown();
});

/** Two stages of seconds on a route of its own. */
function seconds(forMs: number): Plan {
  const stage = {
    durationMs: forMs,
    lookTimesMs: [forMs / 4, forMs / 2, forMs],
    intervalMs: 1_000,
    warmupMs: 0,
  };
  return planOf(
    [stagePlan('canary-5', stage), stagePlan('canary-50', { ...stage, weights: { stable: 0.5, candidate: 0.5 } })],
    {
      route: routeName(`support-${randomUUID()}`),
    },
  );
}

interface Live {
  readonly handle: WorkflowHandle;
  readonly firstRunId: string;
  readonly taskQueue: string;
  update(name: CommandName, updateId?: string): Promise<CommandResult>;
  status(): Promise<RolloutStatus>;
  result(): Promise<Outcome>;
}

async function begin(world: FakeWorld): Promise<Live> {
  const workflowId = `rollout/${world.plan.route}`;
  const taskQueue = workflowId;
  const started = await environment.client.workflow.start('rollout', {
    workflowId,
    taskQueue,
    args: [{ plan: {}, by: 'ann', searchAttributes: true }],
  });
  // Without a run id: whichever run is the current one.
  const handle = environment.client.workflow.getHandle(workflowId);
  return {
    handle,
    firstRunId: started.firstExecutionRunId,
    taskQueue,
    update: (name, updateId = randomUUID()) => handle.executeUpdate(name, { args: [by('ann')], updateId }),
    status: () => handle.query<RolloutStatus>('status'),
    result: () => handle.result(),
  };
}

function workflowWorker(taskQueue: string): Promise<Worker> {
  const codePath = inject('workflowBundlePath');
  if (codePath === null) throw new Error('there are no workflows to bundle');
  return Worker.create({ connection: environment.nativeConnection, taskQueue, workflowBundle: { codePath } });
}

function activityWorker(taskQueue: string, world: FakeWorld): Promise<Worker> {
  return Worker.create({ connection: environment.nativeConnection, taskQueue, activities: { ...world.activities } });
}

async function withWorkers<T>(world: FakeWorld, scene: (live: Live) => Promise<T>): Promise<T> {
  const live = await begin(world);
  const activities = await activityWorker(live.taskQueue, world);
  const workflows = await workflowWorker(live.taskQueue);
  return activities.runUntil(workflows.runUntil(scene(live)));
}

it('goes on in a new run with the same state, and shows it again', async () => {
  const world = createFakeWorld(seconds(4_000));
  await withWorkers(world, async (live) => {
    const continued = async (): Promise<boolean> => (await live.handle.describe()).runId !== live.firstRunId;
    await vi.waitUntil(continued, { timeout: 20_000, interval: 100 });
    const { memo, typedSearchAttributes } = await live.handle.describe();
    expect(memo).toMatchObject({ planDigest: world.plan.digest, candidate: 'llama-32' });
    const found = typedSearchAttributes.getAll().map(({ key, value }) => [key.name, value]);
    expect(Object.fromEntries(found)).toMatchObject({ SluiceRoute: world.plan.route, SluiceState: 'running' });
    const details: unknown = await live.handle.query('__temporal_workflow_metadata');
    expect(details).toMatchObject({ currentDetails: text(/llama-31 → llama-32/) });

    expect(await live.result()).toMatchObject({ state: 'promoted', stage: 'canary-50' });
    const written = world.written.filter((_, index) => index % 2 === 0);
    expect(written.map(({ generation, weights }) => [generation, weights.candidate])).toEqual([
      [7, 0.05],
      [8, 0.5],
      [9, 0],
    ]);
    expect(new Set(written.map(({ salt }) => salt)).size).toBe(1);
    expect(world.ledger.map(({ action, stage }) => `${action} ${stage}`)).toEqual([
      'start canary-5',
      'advance canary-5',
      'start canary-50',
      'advance canary-50',
      'promote canary-50',
    ]);
    expect(world.calls.filter(({ name }) => name === 'openRollout')).toHaveLength(1);
  });
});

it('answers an update that is sent again to a later run, and does not apply it twice', async () => {
  const world = createFakeWorld(seconds(30_000));
  await withWorkers(world, async (live) => {
    await vi.waitUntil(async () => (await live.status().catch(() => null))?.stage.startedAt, { timeout: 20_000 });
    const paused = await live.handle.startUpdate<CommandResult, [unknown]>('pause', {
      args: [by('ann')],
      updateId: 'the-same-id',
      waitForStage: 'ACCEPTED',
    });
    const first = await paused.result();
    expect(first).toMatchObject({ state: 'paused', repeated: false });
    // Each signal makes the loop go round once more, until the run is long enough to be continued.
    const continued = async (): Promise<boolean> => {
      await live.handle.signal('pause', by('bob'));
      return (await live.handle.describe()).runId !== paused.workflowRunId;
    };
    await vi.waitUntil(continued, { timeout: 20_000, interval: 200 });
    expect(await live.update('pause', 'the-same-id')).toEqual({ ...first, repeated: true });
    expect(world.ledger.filter(({ action }) => action === 'pause')).toHaveLength(1);
    await live.update('rollback');
    expect(await live.result()).toMatchObject({ state: 'rolled-back' });
  });
});

it('takes a rollback that is waiting when the run would be continued, here and now', async () => {
  const world = createFakeWorld(seconds(2_000));
  const live = await begin(world);
  const activities = await activityWorker(live.taskQueue, world);
  const first = await workflowWorker(live.taskQueue);
  // The look after which the run would be continued waits until no worker takes workflow tasks any more.
  let release: () => void = () => {};
  const assessing = new Promise<void>((resolve) => {
    const released = new Promise<void>((done) => (release = done));
    world.during = async ({ name }) => {
      if (name !== 'assess') return;
      resolve();
      await released;
    };
  });
  await activities.runUntil(async () => {
    await first.runUntil(assessing);
    release();
    await vi.waitUntil(async () => (await live.handle.describe()).raw.pendingActivities?.length === 0, {
      timeout: 20_000,
    });
    await live.handle.signal('rollback', by('ann'));
    const { runId } = await live.handle.describe();
    const second = await workflowWorker(live.taskQueue);
    await second.runUntil(async () => {
      expect(await live.result()).toMatchObject({ state: 'rolled-back', by: 'ann' });
    });
    expect((await live.handle.describe()).runId).toBe(runId);
  });
  const { events } = await live.handle.fetchHistory();
  const signalled = events?.findIndex((event) => event.workflowExecutionSignaledEventAttributes) ?? -1;
  const next = events?.slice(signalled).find((event) => event.workflowTaskStartedEventAttributes);
  expect(next?.workflowTaskStartedEventAttributes?.suggestContinueAsNew).toBe(true);
});

it('obeys the Temporal command line, and is found by its search attributes', async () => {
  const world = createFakeWorld(seconds(30_000));
  const temporal = temporalCliPath();
  if (temporal === null) throw new Error('there is no Temporal command line: run npm run setup');
  await withWorkers(world, async (live) => {
    const query = `SluiceRoute = "${world.plan.route}" AND SluiceState = "running" AND SluiceCandidatePercent = 5 AND ExecutionStatus = "Running"`;
    const found = async (): Promise<number> => (await environment.client.workflow.count(query)).count;
    await vi.waitUntil(async () => (await found()) === 1, { timeout: 20_000, interval: 100 });
    const input = JSON.stringify({ by: 'me', reason: 'x' });
    await promisify(execFile)(temporal, [
      'workflow',
      'signal',
      `--address=${environment.address}`,
      `--workflow-id=rollout/${world.plan.route}`,
      '--name=rollback',
      `--input=${input}`,
    ]);
    expect(await live.result()).toMatchObject({ state: 'rolled-back', by: 'me', reason: 'x' });
  });
});

/** A Temporal of its own for each test, with skipped time, a worker, and a rollout in front of a fake world. */
import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { Worker } from '@temporalio/worker';
import type { Outcome, RolloutStatus } from '../../src/plan/status.js';
import type { CommandInput, CommandName, CommandResult, RolloutInput } from '../../workflows/state.js';
import { testServerExecutable } from '../helpers/tools.js';
import { bundleWorkflows } from '../helpers/workflow-bundle.js';
import '../helpers/quiet-runtime.js';
import type { FakeWorld } from './fakes.js';

export interface Scene {
  readonly environment: TestWorkflowEnvironment;
  readonly workflowId: string;
  /** Lets time pass on the server; what falls due happens. */
  pass(ms: number): Promise<void>;
  status(): Promise<RolloutStatus>;
  signal(name: CommandName, ...args: readonly unknown[]): Promise<void>;
  update(name: CommandName, input: unknown, updateId?: string): Promise<CommandResult>;
  cancel(): Promise<void>;
  /** Skips time until the rollout ends. */
  result(): Promise<Outcome>;
  history(): ReturnType<ReturnType<TestWorkflowEnvironment['client']['workflow']['getHandle']>['fetchHistory']>;
}

export interface SceneOptions {
  readonly input?: Partial<Extract<RolloutInput, { plan: unknown }>>;
  /** Another workflow than `rollout`, from a file of its own. */
  readonly workflow?: { readonly path: string; readonly type: string; readonly args: readonly unknown[] };
  /** Called with the environment before the rollout starts; for workers on other task queues. Returns what ends them. */
  readonly around?: (environment: TestWorkflowEnvironment) => Promise<() => Promise<void>>;
}

export type Play = <T>(world: FakeWorld, scene: (scene: Scene) => Promise<T>, options?: SceneOptions) => Promise<T>;

/** Bundles the workflows once for a test file; call it at the file's top. */
export function stage(): Play {
  vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });
  let bundle: Awaited<ReturnType<typeof bundleWorkflows>> = null;
  beforeAll(async () => {
    bundle = await bundleWorkflows();
  });
  afterAll(() => bundle?.remove());
  return async (world, scene, options = {}) => {
    if (bundle === null) throw new Error('there is no workflows/index.ts to bundle');
    return play(world, bundle.path, options, scene);
  };
}

/** Starts the rollout of `world` in a fresh environment with skipped time, plays `scene`, and closes everything. */
async function play<T>(
  world: FakeWorld,
  bundlePath: string,
  options: SceneOptions,
  scene: (scene: Scene) => Promise<T>,
): Promise<T> {
  const environment = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: testServerExecutable() },
  });
  try {
    const taskQueue = `sluice-${randomUUID()}`;
    const worker = await Worker.create({
      connection: environment.nativeConnection,
      taskQueue,
      ...(options.workflow === undefined
        ? { workflowBundle: { codePath: bundlePath } }
        : { workflowsPath: options.workflow.path }),
      activities: { ...world.activities },
    });
    const end = await options.around?.(environment);
    try {
      return await worker.runUntil(async () => scene(await start(environment, taskQueue, world, options)));
    } finally {
      await end?.();
    }
  } finally {
    await environment.teardown();
  }
}

async function start(
  environment: TestWorkflowEnvironment,
  taskQueue: string,
  world: FakeWorld,
  { input, workflow }: SceneOptions,
): Promise<Scene> {
  const workflowId = `rollout/${world.plan.route}`;
  const { type, args } = workflow ?? {
    type: 'rollout',
    args: [{ plan: { route: world.plan.route }, by: 'ann', ...input }],
  };
  const handle = await environment.client.workflow.start(type, { taskQueue, workflowId, args: [...args] });
  return {
    environment,
    workflowId,
    pass: (ms) => environment.sleep(ms),
    status: () => handle.query<RolloutStatus>('status'),
    signal: (name, ...signalArgs) => handle.signal(name, ...signalArgs),
    update: (name, commandInput, updateId = randomUUID()) =>
      handle.executeUpdate<CommandResult, [unknown]>(name, { args: [commandInput], updateId }),
    cancel: async () => {
      await handle.cancel();
    },
    result: () => handle.result(),
    history: () => handle.fetchHistory(),
  };
}

/** What a person sends. */
export function by(who: string, more: Partial<CommandInput> = {}): CommandInput {
  return { by: who, reason: `because ${who} says so`, ...more };
}

/** Text that matches, for `toMatchObject`. */
export function text(pattern: RegExp): unknown {
  return expect.stringMatching(pattern);
}

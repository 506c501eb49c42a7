/** The worker: takes the pipeline's tasks and does its side effects. */
import { existsSync } from 'node:fs';
import { hostname } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import type { NativeConnection, WorkerOptions } from '@temporalio/worker';
import type { Activities } from '../../activities/types.js';
import { TASK_QUEUE } from './task-queue.js';

export interface SluiceWorkerOptions {
  readonly connection: NativeConnection;
  readonly namespace: string;
  readonly activities: Activities;
  /** @default 'sluice' */
  readonly taskQueue?: string;
  /** Bundled workflow code: a file, or the code itself. @default the bundle of the build, else the workflows' source */
  readonly workflowBundle?: { readonly codePath: string } | { readonly code: string };
  /**
   * How long activities may run on after a shutdown was asked for, ms. Writes to routers end well within it; the collector
   * is cut off and resumes on another worker.
   * @default 3000
   */
  readonly shutdownGraceMs?: number;
  /** Workflows kept in memory between tasks. @default 100 */
  readonly maxCachedWorkflows?: number;
}

/** Creates the worker; `run()` on it starts polling, `shutdown()` ends that. */
export function createSluiceWorker(options: SluiceWorkerOptions): Promise<Worker> {
  return Worker.create({
    connection: options.connection,
    namespace: options.namespace,
    taskQueue: options.taskQueue ?? TASK_QUEUE,
    identity: `sluice-worker@${hostname()}:${process.pid}`,
    activities: options.activities,
    ...workflowSource(options.workflowBundle),
    shutdownGraceTime: options.shutdownGraceMs ?? 3_000,
    maxCachedWorkflows: options.maxCachedWorkflows ?? 100,
    // Cancellation reaches an activity with its heartbeats: a rollback must not wait for the default throttle.
    maxHeartbeatThrottleInterval: '1 s',
    defaultHeartbeatThrottleInterval: '1 s',
  });
}

/** The bundle of the build where there is one: it saves two seconds of bundling at each start. */
function workflowSource(
  bundle: SluiceWorkerOptions['workflowBundle'],
): Pick<WorkerOptions, 'workflowBundle' | 'workflowsPath'> {
  if (bundle !== undefined) return { workflowBundle: bundle };
  const built = pathFromHere('../../workflow-bundle.js');
  if (existsSync(built)) return { workflowBundle: { codePath: built } };
  const compiled = pathFromHere('../../workflows/index.js');
  return { workflowsPath: existsSync(compiled) ? compiled : pathFromHere('../../workflows/index.ts') };
}

function pathFromHere(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}

/** A worker until it is asked to stop: activities, workflow code, and the chores beside them. */
import { setTimeout as delay } from 'node:timers/promises';
import { createActivities } from '../../activities/index.js';
import { createSluiceRouterBackend } from '../backends/sluice-router.js';
import type { Ledger } from '../ledger/ledger.js';
import type { SluiceConfig } from '../plan/config.js';
import { createDescribeRun } from '../temporal/describe-run.js';
import { runPeriodically } from '../temporal/periodic.js';
import { reconcileChore } from '../temporal/reconcile-loop.js';
import { retentionChore } from '../temporal/retention.js';
import type { TemporalTarget } from '../temporal/target.js';
import { connectWorker } from '../temporal/worker-connection.js';
import { createSluiceWorker } from '../temporal/worker.js';

export interface RunWorkerOptions {
  readonly target: TemporalTarget;
  readonly taskQueue: string;
  readonly config: () => SluiceConfig;
  readonly ledger: Ledger;
  readonly env: NodeJS.ProcessEnv;
  readonly log: {
    info(message: string, attributes?: Readonly<Record<string, unknown>>): void;
    warn(message: string, attributes?: Readonly<Record<string, unknown>>): void;
  };
  /** Called when it polls. */
  readonly onReady: (identity: string) => void;
  /** Settles when the worker is to stop. */
  readonly stopped: Promise<unknown>;
}

/** Resolves when the worker has stopped in order: worker, chores, connections, ledger. */
export async function runWorker(options: RunWorkerOptions): Promise<void> {
  const { target, config, ledger, env, log } = options;
  const connection = await connectWorker(target);
  const backend = createSluiceRouterBackend({ config, env, warn: (message) => log.warn(message) });
  const end = new AbortController();
  const sleep = (ms: number, signal: AbortSignal): Promise<void> => delay(ms, undefined, { signal });
  const chores = [reconcileChore({ backend, ledger, log }), retentionChore(ledger, () => Date.now())].map((chore) =>
    runPeriodically(chore, { sleep, log }, end.signal),
  );
  try {
    const worker = await createSluiceWorker({
      connection,
      namespace: target.namespace,
      taskQueue: options.taskQueue,
      activities: createActivities({
        backend,
        ledger,
        config,
        env,
        describeRun: createDescribeRun(connection, target.namespace),
        log,
      }),
    });
    options.onReady(worker.options.identity);
    await worker.runUntil(options.stopped);
  } finally {
    end.abort();
    await Promise.all(chores);
    await backend.close();
    await connection.close();
    await ledger.close();
  }
}

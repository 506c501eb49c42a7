/** Everything real but the models: Temporal, worker, workflow, activities, router, ledger. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import type { NativeConnection, Worker } from '@temporalio/worker';
import { afterEach, beforeEach, expect, inject, it } from 'vitest';
import { createActivities } from '../../activities/index.js';
import { createSluiceRouterBackend } from '../../src/backends/sluice-router.js';
import type { SluiceRouterBackend } from '../../src/backends/sluice-router.js';
import { startSampleEndpoint } from '../../src/cli/demo/sample-endpoint.js';
import { startSampleTraffic } from '../../src/cli/demo/sample-traffic.js';
import type { RouteView } from '../../src/backends/traffic-backend.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import { openLedger } from '../../src/ledger/open-ledger.js';
import { resolveConfig } from '../../src/plan/config-file.js';
import type { SluiceConfig } from '../../src/plan/config.js';
import { parseSource } from '../../src/plan/document.js';
import { routeName } from '../../src/plan/ids.js';
import type { RolloutStatus } from '../../src/plan/status.js';
import { startRouter } from '../../src/router/router.js';
import type { Router } from '../../src/router/router.js';
import { createDescribeRun } from '../../src/temporal/describe-run.js';
import { resolveTemporalTarget } from '../../src/temporal/target.js';
import { pollersOf } from '../../src/temporal/task-queue.js';
import { connectWorker } from '../../src/temporal/worker-connection.js';
import { createSluiceWorker } from '../../src/temporal/worker.js';
import '../helpers/quiet-runtime.js';
import { ALL_OFF } from '../plan/context.js';

const ROUTE = routeName('support');
const env = {
  ...process.env,
  SLUICE_ADMIN_TOKEN: 'token-of-the-test',
  SLUICE_TOKEN_KEY: 'key-of-the-test-that-is-long-enough',
};
const never = new AbortController().signal;
const closers: (() => Promise<unknown>)[] = [];
const quiet = { info: () => undefined, warn: () => undefined };

let directory: string;
let router: Router;
let config: SluiceConfig;
let ledger: Ledger;
let backend: SluiceRouterBackend;
let connection: NativeConnection;
let taskQueue: string;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-worker-'));
  taskQueue = `worker-test-${randomUUID()}`;
  const behaviour = { latencyMedianMs: 20, errorRate: 0 };
  const old = await startSampleEndpoint({ model: 'old-model', behaviour });
  const candidate = await startSampleEndpoint({ model: 'new-model', behaviour });
  closers.push(() => Promise.all([old.close(), candidate.close()]));
  const text = (admin: string): string => `
listen: 127.0.0.1:0
admin: { listen: "127.0.0.1:0", tokenEnv: SLUICE_ADMIN_TOKEN }
fleet: [{ admin: "${admin}", tokenEnv: SLUICE_ADMIN_TOKEN }]
upstreams:
  old: { url: "${old.url}", model: old-model }
  new: { url: "${candidate.url}", model: new-model }
routes:
  support: { stable: old }
`;
  const read = (admin: string): SluiceConfig =>
    resolveConfig(parseSource(text(admin), 'sluice.yaml', 'config-invalid'));
  router = await startRouter({
    config: read('http://127.0.0.1:1'),
    env,
    stateDirectory: join(directory, 'router'),
    log: () => undefined,
    limits: { drainGraceMs: 0 },
  });
  closers.push(() => router.close());
  config = read(router.adminUrl);
  ledger = await openLedger({ sqlitePath: join(directory, 'ledger.db') });
  closers.push(() => ledger.close());
  backend = createSluiceRouterBackend({ config: () => config, env });
  closers.push(() => backend.close());
  connection = await connectWorker(resolveTemporalTarget({ options: { address: inject('temporalAddress') }, env: {} }));
  closers.push(() => connection.close());
});

afterEach(async () => {
  // In the order of dependence: who was opened last goes first.
  for (const close of closers.splice(0).toReversed()) await close();
  rmSync(directory, { recursive: true, force: true });
});

function createWorker(): Promise<Worker> {
  const codePath = inject('workflowBundlePath');
  if (codePath === null) throw new Error('there is no workflow to run');
  return createSluiceWorker({
    connection,
    namespace: 'default',
    taskQueue,
    workflowBundle: { codePath },
    shutdownGraceMs: 200,
    activities: createActivities({
      backend,
      ledger,
      config: () => config,
      env,
      describeRun: createDescribeRun(connection, 'default'),
      log: quiet,
    }),
  });
}

function routerView(): Promise<RouteView> {
  return backend.readSplit({ address: router.adminUrl, tokenEnv: 'SLUICE_ADMIN_TOKEN' }, ROUTE, never);
}

async function until(handle: WorkflowHandle, holds: (status: RolloutStatus) => boolean): Promise<RolloutStatus> {
  for (;;) {
    const status = await handle.query<RolloutStatus>('status').catch(() => null);
    if (status !== null && holds(status)) return status;
    await delay(50);
  }
}

it('carries a rollout over from one worker to the next and takes it back on a signal', async () => {
  const client = new Client({ connection });
  const traffic = startSampleTraffic({
    router: router.publicUrl,
    route: ROUTE,
    behaviour: { requestsPerSecond: 60, abortShare: 0, ratedShare: 0 },
  });
  const plan = {
    route: 'support',
    candidate: 'new',
    lease: '6s',
    requestTimeout: '2s',
    guardrails: { ...ALL_OFF, error_rate: {} },
    defaults: { interval: '1s', warmup: '0s' },
    stages: [{ kind: 'canary', share: '50%', for: '10m' }],
  };
  const handle = await client.workflow.start('rollout', {
    taskQueue,
    workflowId: `rollout/${taskQueue}`,
    args: [{ plan, by: 'test' }],
  });

  const first = await createWorker();
  await first.runUntil(async () => {
    const status = await until(handle, ({ evidence }) => evidence === 'ok');
    expect(status).toMatchObject({ state: 'running', stage: { name: 'canary-50' }, split: { generation: 1 } });
    await expect(pollersOf(connection, 'default', taskQueue)).resolves.toHaveLength(1);
    // Between two calls of the collector none is pending: the next one is waited for.
    const describeCollector = async () => {
      const { raw } = await handle.describe();
      const pending = raw.pendingActivities?.find(({ activityType }) => activityType?.name === 'sampleTraffic');
      const run = { workflowId: handle.workflowId, runId: raw.workflowExecutionInfo?.execution?.runId ?? '' };
      return createDescribeRun(connection, 'default')({ ...run, activityId: pending?.activityId ?? '' });
    };
    await expect
      .poll(async () => (await describeCollector()).attemptStartedAt, { timeout: 30_000 })
      .toSatisfy((at: number | null) => at !== null && Math.abs(Date.now() - at) < 60_000);
    expect((await describeCollector()).open).toBe(true);
  });
  const { leaseExpiresAt: before } = await routerView();

  const second = await createWorker();
  const outcome = await second.runUntil(async () => {
    // The second worker has taken over when it renews the lease.
    for (;;) {
      if (((await routerView()).leaseExpiresAt ?? 0) > (before ?? 0)) break;
      await delay(50);
    }
    await handle.signal('rollback', { by: 'me', reason: 'enough seen' });
    const ended: unknown = await handle.result();
    return ended;
  });
  const counters = await traffic.stop();

  expect(outcome).toMatchObject({ state: 'rolled-back', by: 'me', reason: 'enough seen' });
  const view = await routerView();
  expect(view.split).toMatchObject({ weights: { stable: 1, candidate: 0 }, lease: null });
  await expect(ledger.routeRow(ROUTE)).resolves.toMatchObject({ stable: 'old' });
  expect(counters.failed).toBe(0);
});

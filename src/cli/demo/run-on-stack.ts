/** One rollout of the demo from nothing to its outcome: upstreams, stack, traffic, rollout; nothing is left running. */
import { join } from 'node:path';
import type { Io } from '../io.js';
import { openSession } from '../session.js';
import type { Stack } from '../stack/stack.js';
import { startDemoStack, type DemoUpstreams } from './demo-stack.js';
import type { Expected } from './expected.js';
import type { ScenarioResult } from './outcome-line.js';
import { runRollout } from './run-rollout.js';
import { startSampleTraffic, type SampleTraffic, type SampleTrafficOptions } from './sample-traffic.js';

/** What is ended, last first, when the rollout is over. */
export type Own = (close: () => Promise<unknown>) => void;

export interface DemoRun {
  readonly name: string;
  /** One line: what the candidate is like. */
  readonly title: string;
  readonly expected: Expected;
  /** Starts the two upstreams and owns them. */
  readonly serve: (own: Own) => Promise<DemoUpstreams>;
  readonly traffic: Omit<SampleTrafficOptions, 'router' | 'route'>;
  /** What has to have happened before the rollout; its requests per second are the plan's. */
  readonly before: (traffic: SampleTraffic) => Promise<number>;
  /** The plan as written, at the rate that was reached. */
  readonly plan: (requestsPerSecond: number) => Readonly<Record<string, unknown>>;
  readonly timeoutMs: number;
  readonly onStage: (stage: string, stack: Stack, traffic: SampleTraffic) => Promise<void>;
}

/** Where a demo runs, and who watches. */
export interface DemoSetting {
  /** A directory of the run's name below it is emptied first. */
  readonly directory: string;
  readonly io: Io;
  /** Redraw the live view. */
  readonly live: boolean;
  /** Rejects when the demo is to end early. */
  readonly interrupted: Promise<never>;
}

export const ROUTE = 'support';

export async function runOnStack(
  run: DemoRun,
  { directory, io, live, interrupted }: DemoSetting,
): Promise<ScenarioResult> {
  io.note(`${run.name}: ${run.title}`);
  const owned: (() => Promise<unknown>)[] = [];
  try {
    const upstreams = await run.serve((close) => void owned.push(close));
    const stack = await startDemoStack(join(directory, run.name), upstreams, io);
    owned.push(() => stack.stop());
    const { router, temporal, logs, config } = stack.up;
    if (live) io.note(`  clients ${router.url}/v1   Temporal's Web UI ${temporal.ui ?? 'none'}   logs ${logs}`);
    const traffic = startSampleTraffic({ router: router.url, route: ROUTE, ...run.traffic });
    owned.push(() => traffic.stop(2_000));
    const requestsPerSecond = await run.before(traffic);
    io.note(`${run.name}: ${requestsPerSecond.toFixed(1)} requests a second`);
    const session = await openSession({ address: temporal.address, namespace: temporal.namespace }, io);
    owned.push(() => session.close());
    const { name, expected, timeoutMs } = run;
    const plan = run.plan(requestsPerSecond);
    const onStage = (stage: string): Promise<void> => run.onStage(stage, stack, traffic);
    const rollout = runRollout(session, io, { name, expected, plan, config, timeoutMs, live, onStage });
    return await Promise.race([rollout, interrupted]);
  } finally {
    for (let close = owned.pop(); close !== undefined; close = owned.pop()) await close();
  }
}

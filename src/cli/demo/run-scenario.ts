/** One scenario from nothing to its outcome; whatever happens, nothing is left running. */
import { join } from 'node:path';
import type { Io } from '../io.js';
import { openSession } from '../session.js';
import { startDemoStack } from './demo-stack.js';
import type { ScenarioResult } from './outcome-line.js';
import { runRollout } from './run-rollout.js';
import { startSampleEndpoint } from './sample-endpoint.js';
import { startSampleTraffic } from './sample-traffic.js';
import { demoPlan, type Scenario } from './scenarios.js';
import { untilServed } from './until-served.js';

const TIMEOUT_MS = 240_000;
/** Latency thresholds need 200 observations of stable before the rollout: a second of traffic at this rate. */
const OBSERVATIONS_BEFORE = 1_000;

/** Runs the scenario in `directory`, which is emptied first. */
export async function runScenario(
  scenario: Scenario,
  directory: string,
  io: Io,
  live: boolean,
  interrupted: Promise<never>,
): Promise<ScenarioResult> {
  io.note(`${scenario.name}: ${scenario.title}`);
  const open: (() => Promise<unknown>)[] = [];
  try {
    const stable = await startSampleEndpoint({ model: 'llama-3.1-8b-instruct', seed: 1, behaviour: scenario.stable });
    open.push(() => stable.close());
    const candidate = await startSampleEndpoint({
      model: 'llama-3.2-8b-instruct',
      seed: 2,
      behaviour: scenario.candidate,
    });
    open.push(() => candidate.close());
    const stack = await startDemoStack(join(directory, scenario.name), { stable, candidate }, io);
    open.push(() => stack.stop());
    if (live)
      io.note(
        `  clients ${stack.up.router.url}/v1   Temporal's Web UI ${stack.up.temporal.ui ?? 'none'}   logs ${stack.up.logs}`,
      );
    const traffic = startSampleTraffic({
      router: stack.up.router.url,
      route: 'support',
      behaviour: scenario.traffic,
      seed: 3,
    });
    open.push(() => traffic.stop(2_000));
    await untilServed(traffic, OBSERVATIONS_BEFORE, 30_000);
    const { address, namespace } = stack.up.temporal;
    const session = await openSession({ address, namespace }, io);
    open.push(() => session.close());
    const rollout = runRollout(session, io, {
      name: scenario.name,
      expected: scenario.expected,
      plan: demoPlan(),
      config: stack.up.config,
      timeoutMs: TIMEOUT_MS,
      live,
      onStage: async (stage) => {
        if (stage !== scenario.killWorkerAt) return;
        io.note(`${scenario.name}: killing the worker in ${stage} (SIGKILL)`);
        await stack.worker.killAndRestart();
      },
    });
    return await Promise.race([rollout, interrupted]);
  } finally {
    for (let close = open.pop(); close !== undefined; close = open.pop()) await close();
  }
}

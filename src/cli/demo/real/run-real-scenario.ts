/** One rollout between two real models, from their start to the outcome; nothing is left running. */
import { join } from 'node:path';
import type { Io } from '../../io.js';
import { openSession } from '../../session.js';
import { startDemoStack } from '../demo-stack.js';
import type { ScenarioResult } from '../outcome-line.js';
import { runRollout } from '../run-rollout.js';
import { startSampleTraffic } from '../sample-traffic.js';
import { untilServed } from '../until-served.js';
import type { RealModels } from './prepare-real-models.js';
import { realRequest, warmUpBodies } from './real-prompts.js';
import { REAL_SERVER, REAL_TRAFFIC, realPlan, WARM_UP_ANSWERS } from './real-scenarios.js';
import type { RealModelSetup, RealScenario } from './real-scenarios.js';
import { startRealModel } from './start-real-model.js';
import type { RunningModel } from './start-real-model.js';

const ROUTE = 'support';
/** Both rollouts have to end within a quarter of an hour, installation included. */
const TIMEOUT_MS = 720_000;
const WARM_UP_WITHIN_MS = 120_000;

/** Runs the scenario in `directory`, which is emptied first. */
export async function runRealScenario(
  scenario: RealScenario,
  models: RealModels,
  directory: string,
  io: Io,
  live: boolean,
  interrupted: Promise<never>,
): Promise<ScenarioResult> {
  io.note(`${scenario.name}: ${scenario.title}`);
  const open: (() => Promise<unknown>)[] = [];
  const serve = async (
    variant: 'stable' | 'candidate',
    setup: RealModelSetup,
  ): Promise<RunningModel & { model: string }> => {
    const { path, name } = models[setup.weights];
    const running = await startRealModel({
      python: models.python,
      model: path,
      alias: name,
      contextTokensPerSlot: setup.contextTokensPerSlot,
      slots: REAL_SERVER.slots,
      threads: REAL_SERVER.threads,
      cpu: REAL_SERVER.cpu[variant],
      warmUp: warmUpBodies(),
      logFile: join(directory, `${scenario.name}-${variant}.log`),
    });
    open.push(() => running.stop());
    return { ...running, model: name };
  };
  try {
    const upstreams = {
      stable: await serve('stable', scenario.stable),
      candidate: await serve('candidate', scenario.candidate),
    };
    const stack = await startDemoStack(join(directory, scenario.name), upstreams, io);
    open.push(() => stack.stop());
    const traffic = startSampleTraffic({
      router: stack.up.router.url,
      route: ROUTE,
      behaviour: { requestsPerSecond: REAL_TRAFFIC.requestsPerSecond, abortShare: 0, ratedShare: 0 },
      maxInFlight: REAL_TRAFFIC.maxInFlight,
      requests: (index) => {
        const { user, body } = realRequest(index);
        return { user, body: JSON.stringify({ model: ROUTE, user, ...body }) };
      },
    });
    open.push(() => traffic.stop());
    const requestsPerSecond = await untilServed(traffic, WARM_UP_ANSWERS, WARM_UP_WITHIN_MS);
    io.note(`${scenario.name}: the models answer ${requestsPerSecond.toFixed(1)} requests a second`);
    const { address, namespace } = stack.up.temporal;
    const session = await openSession({ address, namespace }, io);
    open.push(() => session.close());
    const rollout = runRollout(session, io, {
      name: scenario.name,
      expected: scenario.expected,
      plan: realPlan({ route: ROUTE, candidate: 'llama-32', requestsPerSecond }),
      config: stack.up.config,
      timeoutMs: TIMEOUT_MS,
      live,
      onStage: () => Promise.resolve(),
    });
    return await Promise.race([rollout, interrupted]);
  } finally {
    for (let close = open.pop(); close !== undefined; close = open.pop()) await close();
  }
}

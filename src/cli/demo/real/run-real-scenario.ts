/** A scenario between two real models. */
import { join } from 'node:path';
import type { DemoUpstreams } from '../demo-stack.js';
import type { ScenarioResult } from '../outcome-line.js';
import { ROUTE, runOnStack, type DemoSetting, type Own } from '../run-on-stack.js';
import { untilServed } from '../until-served.js';
import type { RealModels } from './prepare-real-models.js';
import { realRequest, warmUpBodies } from './real-prompts.js';
import { REAL_SERVER, REAL_TRAFFIC, realPlan, WARM_UP_ANSWERS } from './real-scenarios.js';
import type { RealScenario } from './real-scenarios.js';
import { startRealModel } from './start-real-model.js';

/** Both rollouts have to end within a quarter of an hour, installation included. */
const TIMEOUT_MS = 720_000;
const WARM_UP_WITHIN_MS = 120_000;

export async function runRealScenario(
  scenario: RealScenario,
  models: RealModels,
  setting: DemoSetting,
): Promise<ScenarioResult> {
  const serve = async (variant: 'stable' | 'candidate', own: Own): Promise<DemoUpstreams['stable']> => {
    const { weights, contextTokensPerSlot } = scenario[variant];
    const { path, name } = models[weights];
    const running = await startRealModel({
      python: models.python,
      model: path,
      alias: name,
      contextTokensPerSlot,
      slots: REAL_SERVER.slots,
      threads: REAL_SERVER.threads,
      cpu: REAL_SERVER.cpu[variant],
      warmUp: warmUpBodies(),
      logFile: join(setting.directory, `${scenario.name}-${variant}.log`),
    });
    own(() => running.stop());
    return { url: running.url, model: name };
  };
  return runOnStack(
    {
      ...scenario,
      serve: async (own) => ({ stable: await serve('stable', own), candidate: await serve('candidate', own) }),
      traffic: {
        behaviour: { requestsPerSecond: REAL_TRAFFIC.requestsPerSecond, abortShare: 0, ratedShare: 0 },
        maxInFlight: REAL_TRAFFIC.maxInFlight,
        requests: (index) => {
          const { user, body } = realRequest(index);
          return { user, body: JSON.stringify({ model: ROUTE, user, ...body }) };
        },
      },
      before: (traffic) => untilServed(traffic, WARM_UP_ANSWERS, WARM_UP_WITHIN_MS),
      plan: (requestsPerSecond) => realPlan({ route: ROUTE, candidate: 'llama-32', requestsPerSecond }),
      timeoutMs: TIMEOUT_MS,
      onStage: () => Promise.resolve(),
    },
    setting,
  );
}

/** A scenario between two sample endpoints. */
import { findRate } from './find-rate.js';
import type { ScenarioResult } from './outcome-line.js';
import { runOnStack, type DemoSetting } from './run-on-stack.js';
import { startSampleEndpoint } from './sample-endpoint.js';
import type { SampleEndpoint } from './sample-endpoint.js';
import { demoPlan, type Scenario } from './scenarios.js';
import { untilServed } from './until-served.js';

const TIMEOUT_MS = 300_000;
/** Latency thresholds need 200 observations of stable before the rollout: two seconds of traffic hold many more. */
const ANSWERS_BEFORE = 1_000;
const WITHIN_MS = 30_000;

export async function runScenario(scenario: Scenario, setting: DemoSetting): Promise<ScenarioResult> {
  let changing: SampleEndpoint | null = null;
  return runOnStack(
    {
      ...scenario,
      serve: async (own) => {
        const stable = await startSampleEndpoint({
          model: 'llama-3.1-8b-instruct',
          seed: 1,
          behaviour: scenario.stable,
        });
        own(() => stable.close());
        const { candidate: behaviour } = scenario;
        const candidate = await startSampleEndpoint({ model: 'llama-3.2-8b-instruct', seed: 2, behaviour });
        own(() => candidate.close());
        changing = candidate;
        return { stable, candidate };
      },
      traffic: { behaviour: scenario.traffic, seed: 3 },
      before: async (traffic) => {
        await untilServed(traffic, ANSWERS_BEFORE, WITHIN_MS);
        return findRate(traffic, scenario.traffic.requestsPerSecond);
      },
      plan: demoPlan,
      timeoutMs: TIMEOUT_MS,
      onStage: async (stage, stack, traffic) => {
        const change = scenario.changes[stage];
        if (change !== undefined) {
          setting.io.note(`${scenario.name}: the candidate changes in ${stage}`);
          changing?.set(change.candidate ?? {});
          traffic.set(change.traffic ?? {});
        }
        if (stage !== scenario.killWorkerAt) return;
        setting.io.note(`${scenario.name}: killing the worker in ${stage} (SIGKILL)`);
        await stack.worker.killAndRestart();
      },
    },
    setting,
  );
}

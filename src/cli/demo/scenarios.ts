/** The demo's scenarios: how the two models behave, what happens on the way, and how it has to end. */
import type { SampleBehaviour } from './sample-behaviour.js';
import type { TrafficBehaviour } from './sample-traffic.js';

export type ScenarioName = 'healthy' | 'slow' | 'errors' | 'kill-worker';

export interface Scenario {
  readonly name: ScenarioName;
  /** One line: what the candidate is like. */
  readonly title: string;
  readonly expected: 'promoted' | 'rolled-back';
  readonly stable: Partial<SampleBehaviour>;
  readonly candidate: Partial<SampleBehaviour>;
  readonly traffic: Partial<TrafficBehaviour>;
  /** Kill the worker without warning when this stage has begun. */
  readonly killWorkerAt: string | null;
}

/** What both models do when nothing is wrong: 1% errors, a median of 60 ms, log standard deviation one half. */
const USUAL: Partial<SampleBehaviour> = {
  latencyMedianMs: 60,
  latencyLogSd: 0.5,
  errorRate: 0.01,
  refusalRate: 0.02,
  cacheMissRate: 0,
};

/** Enough for the 50% stage to decide within its 60 s with two points of margin at 1% of errors (about 18 s are needed). */
const REQUESTS_PER_SECOND = 500;

const steady: Partial<TrafficBehaviour> = { requestsPerSecond: REQUESTS_PER_SECOND, abortShare: 0 };

function scenario(
  name: ScenarioName,
  title: string,
  expected: Scenario['expected'],
  changes: { readonly candidate?: Partial<SampleBehaviour>; readonly killWorkerAt?: string },
): Scenario {
  return {
    name,
    title,
    expected,
    stable: USUAL,
    candidate: { ...USUAL, ...changes.candidate },
    traffic: steady,
    killWorkerAt: changes.killWorkerAt ?? null,
  };
}

export const SCENARIOS: Readonly<Record<ScenarioName, Scenario>> = {
  healthy: scenario('healthy', 'a candidate that is as good as stable', 'promoted', {}),
  // The same median, a longer tail: exp(1.645 × (0.786 − 0.5)) = 1.6 at the 95th percentile.
  slow: scenario('slow', 'a candidate whose p95 is 60% higher', 'rolled-back', { candidate: { latencyLogSd: 0.786 } }),
  errors: scenario('errors', 'a candidate with 5% errors instead of 1%', 'rolled-back', {
    candidate: { errorRate: 0.05 },
  }),
  'kill-worker': scenario('kill-worker', 'a healthy candidate, and a worker that is killed on the way', 'promoted', {
    killWorkerAt: 'canary-25',
  }),
};

/** What `sluice demo` runs when nothing else is asked for. */
export const DEFAULT_SCENARIOS: readonly ScenarioName[] = ['healthy', 'slow'];

export function isScenarioName(value: string): value is ScenarioName {
  return Object.hasOwn(SCENARIOS, value);
}

/** The five-week plan with stages of seconds, as it would stand in a file. */
export function demoPlan(): Readonly<Record<string, unknown>> {
  return {
    route: 'support',
    candidate: 'llama-32',
    stages: [
      { kind: 'shadow', for: '14s', onUndecided: 'advance' },
      { kind: 'canary', share: '5%', for: '14s', onUndecided: 'advance' },
      { kind: 'canary', share: '25%', for: '14s', onUndecided: 'advance' },
      { kind: 'canary', share: '50%', for: '14s', onUndecided: 'extend', maxFor: '60s' },
      { kind: 'flip', bake: '14s' },
    ],
    defaults: { interval: '1s', warmup: '2s' },
    guardrails: { error_rate: { margin: '+2 points' } },
    falseRollback: '0.5%',
    falseHold: '0.5%',
    requestTimeout: '5s',
    feedback: { horizon: '2s' },
  };
}

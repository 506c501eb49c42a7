/** The demo's scenarios: how the two models behave, what happens on the way, and how it has to end. */
import type { Expected } from './expected.js';
import type { SampleBehaviour } from './sample-behaviour.js';
import type { TrafficBehaviour } from './sample-traffic.js';

export type ScenarioName =
  | 'healthy'
  | 'slow'
  | 'errors'
  | 'kill-worker'
  | 'tokens'
  | 'feedback'
  | 'refusals'
  | 'cold-cache'
  | 'broken-cache'
  | 'better-then-worse';

/** How both models and their users behave from some moment on; what is absent stays as it was. */
export interface Change {
  readonly candidate?: Partial<SampleBehaviour>;
  readonly traffic?: Partial<TrafficBehaviour>;
}

export interface Scenario {
  readonly name: ScenarioName;
  /** One line: what the candidate is like. */
  readonly title: string;
  readonly expected: Expected;
  readonly stable: Partial<SampleBehaviour>;
  readonly candidate: Partial<SampleBehaviour>;
  readonly traffic: Partial<TrafficBehaviour> & Pick<TrafficBehaviour, 'requestsPerSecond'>;
  /** What changes once a stage of that name has begun. */
  readonly changes: Readonly<Record<string, Change>>;
  /** Kill the worker without warning when this stage has begun. */
  readonly killWorkerAt: string | null;
}

/** What both models do when nothing is wrong: 1% errors, a median of 60 ms, log standard deviation one half. */
const USUAL: Partial<SampleBehaviour> = {
  latencyMedianMs: 60,
  latencyLogSd: 0.5,
  errorRate: 0.01,
  refusalRate: 0.02,
  cacheMissRate: 0.3,
};

/** Enough for the 50% stage to decide within its 60 s with two points of margin at 1% of errors (about 18 s are needed). */
const REQUESTS_PER_SECOND = 500;

const steady = {
  requestsPerSecond: REQUESTS_PER_SECOND,
  abortShare: 0,
  ratedShare: 0.1,
  badShare: { stable: 0.1, candidate: 0.1 },
} satisfies Partial<TrafficBehaviour>;

interface Setting extends Change {
  readonly expected: Expected;
  readonly changes?: Readonly<Record<string, Change>>;
  readonly killWorkerAt?: string;
}

function scenario(name: ScenarioName, title: string, setting: Setting): Scenario {
  return {
    name,
    title,
    expected: setting.expected,
    stable: USUAL,
    candidate: { ...USUAL, ...setting.candidate },
    traffic: { ...steady, ...setting.traffic },
    changes: setting.changes ?? {},
    killWorkerAt: setting.killWorkerAt ?? null,
  };
}

export const SCENARIOS: Readonly<Record<ScenarioName, Scenario>> = {
  healthy: scenario('healthy', 'a candidate that is as good as stable', { expected: { outcome: 'promoted' } }),
  // The same median, a longer tail: exp(1.645 × (0.786 − 0.5)) = 1.6 at the 95th percentile.
  slow: scenario('slow', 'a candidate whose p95 is 60% higher', {
    candidate: { latencyLogSd: 0.786 },
    expected: { outcome: 'rolled-back' },
  }),
  errors: scenario('errors', 'a candidate with 5% errors instead of 1%', {
    candidate: { errorRate: 0.05 },
    expected: { outcome: 'rolled-back', guardrail: 'error_rate' },
  }),
  'kill-worker': scenario('kill-worker', 'a healthy candidate, and a worker that is killed on the way', {
    killWorkerAt: 'canary-25',
    expected: { outcome: 'promoted' },
  }),
  tokens: scenario('tokens', 'a candidate whose answers are twice as long and no slower', {
    candidate: { tokensMedian: 120 },
    expected: { outcome: 'promoted', flagged: 'tokens_per_response' },
  }),
  feedback: scenario('feedback', 'a candidate that users rate badly three times as often', {
    traffic: { ratedShare: 0.5, badShare: { stable: 0.1, candidate: 0.3 } },
    expected: { outcome: 'rolled-back', guardrail: 'feedback' },
  }),
  refusals: scenario('refusals', 'a candidate that declines 8% of requests instead of 2%', {
    candidate: { refusalRate: 0.08 },
    expected: { outcome: 'held', guardrail: 'refusal_rate' },
  }),
  'cold-cache': scenario('cold-cache', 'a healthy candidate whose cache starts empty', {
    expected: { outcome: 'promoted', quiet: 'cache_hit_rate' },
  }),
  // In shadow and at 5% its cache is only shown: a small variant has fewer hits because it is small.
  'broken-cache': scenario('broken-cache', 'a candidate that misses its cache in 90% of requests instead of 30%', {
    changes: { 'canary-25': { candidate: { cacheMissRate: 0.9 } } },
    expected: { outcome: 'rolled-back', guardrail: 'cache_hit_rate', stage: 'canary-25' },
  }),
  'better-then-worse': scenario('better-then-worse', 'a candidate with fewer errors at 5% and 25%, and more at 50%', {
    candidate: { errorRate: 0.005 },
    changes: { 'canary-50': { candidate: { errorRate: 0.05 } } },
    expected: { outcome: 'rolled-back', guardrail: 'error_rate', stage: 'canary-50' },
  }),
};

/** What `sluice demo` runs when nothing else is asked for. */
export const DEFAULT_SCENARIOS: readonly ScenarioName[] = ['healthy', 'slow'];

export function isScenarioName(value: string): value is ScenarioName {
  return Object.hasOwn(SCENARIOS, value);
}

/** Time of a stage at the rate that is wanted, s. */
const STAGE_SECONDS = 14;
/** A slower machine takes longer for the same requests, up to this many times: the demo has to end some time. */
const LONGEST = 3;

/**
 * The five-week plan with stages of seconds, as it would stand in a file.
 * @param requestsPerSecond what the machine serves
 */
export function demoPlan(requestsPerSecond: number): Readonly<Record<string, unknown>> {
  const times = Math.min(LONGEST, Math.max(1, REQUESTS_PER_SECOND / requestsPerSecond));
  const time = (seconds: number): string => `${Math.ceil(times * seconds)}s`;
  const stage = time(STAGE_SECONDS);
  return {
    route: 'support',
    candidate: 'llama-32',
    stages: [
      { kind: 'shadow', for: stage, onUndecided: 'advance' },
      { kind: 'canary', share: '5%', for: stage, onUndecided: 'advance' },
      { kind: 'canary', share: '25%', for: stage, onUndecided: 'advance' },
      { kind: 'canary', share: '50%', for: stage, onUndecided: 'extend', maxFor: time(60) },
      { kind: 'flip', bake: stage },
    ],
    defaults: { interval: '1s', warmup: '2s' },
    guardrails: { error_rate: { margin: '+2 points' } },
    falseRollback: '0.5%',
    falseHold: '0.5%',
    requestTimeout: '5s',
    feedback: { horizon: '2s' },
  };
}

/** The two rollouts of `demo --real`: a harmless release and one whose server was set up wrongly. */
import type { Expected } from '../expected.js';
import { FULL_CONTEXT_TOKENS, SMALL_CONTEXT_TOKENS } from './real-prompts.js';

export type RealScenarioName = 'requantised' | 'small-context';

export interface RealModelSetup {
  /** Which of the `RealModels`. */
  readonly weights: 'base' | 'requantised';
  readonly contextTokensPerSlot: number;
}

export interface RealScenario {
  readonly name: RealScenarioName;
  /** One line: what the candidate is like. */
  readonly title: string;
  readonly expected: Expected;
  readonly stable: RealModelSetup;
  readonly candidate: RealModelSetup;
}

const BASE: RealModelSetup = { weights: 'base', contextTokensPerSlot: FULL_CONTEXT_TOKENS };

export const REAL_SCENARIOS: Readonly<Record<RealScenarioName, RealScenario>> = {
  requantised: {
    name: 'requantised',
    title: 'SmolLM2-135M in q4_1 against the same weights in q8_0',
    expected: { outcome: 'promoted' },
    stable: BASE,
    candidate: { ...BASE, weights: 'requantised' },
  },
  'small-context': {
    name: 'small-context',
    title: `the same model, its context window cut to ${SMALL_CONTEXT_TOKENS} tokens: it answers 400 to long prompts`,
    expected: { outcome: 'rolled-back', guardrail: 'error_rate' },
    stable: BASE,
    candidate: { ...BASE, contextTokensPerSlot: SMALL_CONTEXT_TOKENS },
  },
};

/** How each of the two servers runs: one thread on a core of its own, so that one does not slow the other. */
export const REAL_SERVER = {
  slots: 4,
  threads: 1,
  cpu: { stable: 0, candidate: 1 },
} as const;

/** The traffic: about half of what one core answers, and never more under way than the server has slots. */
export const REAL_TRAFFIC = {
  requestsPerSecond: 3.5,
  maxInFlight: REAL_SERVER.slots,
} as const;

/** Answers to wait for before the rollout: they warm the servers and show the rate that this machine reaches. */
export const WARM_UP_ANSWERS = 40;

/**
 * Requests of users in each stage. What decides is their number, not the time:
 * - The margin of error_rate stands once stable has answered 1,000; by the end of the 25% stage it has answered
 *   850 + 0.95 · 160 + 0.75 · 100 ≈ 1,080.
 * - After that, clean requests alone open the gate at a margin of 5 points: about 80 of the candidate, and the stage
 *   asks for 100, which 50% of 240 are.
 * - A stage that has not seen the candidate answer holds; 8 and 25 are expected at 5% and 25%, and 10 of stable in the
 *   flip, so that a run without any happens once in thousands.
 */
const REQUESTS = { shadow: 850, 'canary-5': 160, 'canary-25': 100, 'canary-50': 240, flip: 100 } as const;

/**
 * Stages are planned for at least this rate: a machine that was busy only while it was measured would else take half an
 * hour. On one that stays slower the 50% stage extends.
 */
const SLOWEST_PER_SECOND = 2.5;

/** The 50% stage may take this many times longer, should the machine slow down meanwhile. */
const LONGEST = 4;

export interface RealPlanOptions {
  readonly route: string;
  readonly candidate: string;
  /** What the users' traffic reached while it warmed up. */
  readonly requestsPerSecond: number;
}

/**
 * The five-week plan with stages as long as this machine needs for the requests that decide, as it would stand in a
 * file. The guardrails: error_rate with a margin that a hundred requests can decide; the median of the latency with a
 * wide limit, since both models share a small machine with everything else and the flip doubles the candidate's load;
 * p95 only flagged, for it is the queue in front of the model more than the model, as is the time to the first token.
 * The small cache is shared with everything else, and nobody rates the answers.
 * @throws RangeError unless requestsPerSecond is positive
 */
export function realPlan({ route, candidate, requestsPerSecond }: RealPlanOptions): Readonly<Record<string, unknown>> {
  if (!(requestsPerSecond > 0)) throw new RangeError(`${requestsPerSecond} requests a second never end a stage`);
  const rate = Math.max(requestsPerSecond, SLOWEST_PER_SECOND);
  const time = (stage: keyof typeof REQUESTS, times = 1): string => `${Math.ceil((times * REQUESTS[stage]) / rate)}s`;
  return {
    route,
    candidate,
    stages: [
      { kind: 'shadow', for: time('shadow') },
      { kind: 'canary', share: '5%', for: time('canary-5'), minRequests: 1 },
      { kind: 'canary', share: '25%', for: time('canary-25'), minRequests: 5 },
      {
        kind: 'canary',
        share: '50%',
        for: time('canary-50'),
        onUndecided: 'extend',
        maxFor: time('canary-50', LONGEST),
      },
      { kind: 'flip', bake: time('flip'), minRequests: 20 },
    ],
    defaults: { interval: '1s', warmup: '2s', minRequests: 100 },
    guardrails: {
      error_rate: { margin: '+5 points' },
      latency_p50: { limit: 2 },
      latency_p95: { limit: 3, action: 'flag' },
      ttft_p50: 'off',
      ttft_p95: 'off',
      cache_hit_rate: 'off',
      feedback: 'off',
    },
    falseRollback: '1%',
    requestTimeout: '30s',
    feedback: { horizon: '2s' },
  };
}

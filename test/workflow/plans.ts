/** Frozen plans for the tests of the pipeline, by hand: what freezing makes of a file is not their business. */
import { routeName, stageName, upstreamName } from '../../src/plan/ids.js';
import type { Guardrail, Plan, StagePlan } from '../../src/plan/types.js';

export const HOUR = 3_600_000;
export const DAY = 24 * HOUR;
export const WEEK = 7 * DAY;

/** 24 geometric looks, the first after five seconds, the last at the end. */
function lookTimes(durationMs: number): readonly number[] {
  const ratio = (durationMs / 5_000) ** (1 / 23);
  return Array.from({ length: 24 }, (_, index) => (index === 23 ? durationMs : Math.round(5_000 * ratio ** index)));
}

export function stagePlan(name: string, more: Partial<StagePlan> = {}): StagePlan {
  const durationMs = more.durationMs ?? WEEK;
  return {
    name: stageName(name),
    kind: 'canary',
    weights: { stable: 0.95, candidate: 0.05 },
    mirror: { variant: 'candidate', share: 0 },
    durationMs,
    maxDurationMs: durationMs,
    minRequests: 100,
    gate: 'auto',
    onUndecided: 'advance',
    lookTimesMs: lookTimes(durationMs),
    intervalMs: 60_000,
    warmupMs: 300_000,
    feedbackHorizonMs: DAY,
    window: null,
    checks: [],
    mixtureShare: 0.2,
    ladder: 'early',
    ...more,
  };
}

const guardrails: readonly Guardrail[] = [
  {
    kind: 'rate',
    name: 'error_rate',
    action: 'rollback',
    weight: 1,
    limit: 1.05,
    twoSided: false,
    typicalEffect: 0.7,
    promote: { ratios: { early: 2, middle: 1.5, late: 1.25 }, absolute: 0.005 },
  },
  {
    kind: 'rate',
    name: 'refusal_rate',
    action: 'hold',
    weight: 1,
    limit: 1.1,
    twoSided: true,
    typicalEffect: 0.7,
    promote: null,
  },
  {
    kind: 'rate',
    name: 'abort_rate',
    action: 'hold',
    weight: 1,
    limit: 1.1,
    twoSided: true,
    typicalEffect: 0.7,
    promote: null,
  },
  {
    kind: 'rate',
    name: 'response_rate',
    action: 'flag',
    weight: 1,
    limit: 1.1,
    twoSided: true,
    typicalEffect: 0.7,
    promote: null,
  },
];

export function planOf(stages: readonly StagePlan[], more: Partial<Plan> = {}): Plan {
  return {
    version: 1,
    route: routeName('support'),
    stable: upstreamName('llama-31'),
    candidate: upstreamName('llama-32'),
    preset: null,
    stages,
    guardrails,
    falseRollback: 0.05,
    falseHold: 0.05,
    falseFlag: 0.05,
    falsePromote: 0.05,
    requestTimeoutMs: 60_000,
    lease: { seconds: 900, onExpiry: 'stable' },
    ab: null,
    notify: ['ops'],
    digest: 'a'.repeat(64),
    ...more,
  };
}

/** 7 days each: shadow, 5%, 25%, 50%, flip. */
export function fiveWeeks(): Plan {
  return planOf([
    stagePlan('shadow', {
      kind: 'shadow',
      weights: { stable: 1, candidate: 0 },
      mirror: { variant: 'candidate', share: 1 },
    }),
    stagePlan('canary-5'),
    stagePlan('canary-25', { weights: { stable: 0.75, candidate: 0.25 } }),
    stagePlan('canary-50', {
      weights: { stable: 0.5, candidate: 0.5 },
      onUndecided: 'extend',
      maxDurationMs: 2 * WEEK,
      ladder: 'late',
    }),
    stagePlan('flip', {
      kind: 'flip',
      weights: { stable: 0, candidate: 1 },
      mirror: { variant: 'stable', share: 0.1 },
    }),
  ]);
}

/** Two stages of an hour: 5%, then 50%. */
export function twoHours(more: Partial<StagePlan> = {}): Plan {
  const hour = {
    durationMs: HOUR,
    maxDurationMs: 2 * HOUR,
    intervalMs: 1_000,
    warmupMs: 60_000,
    lookTimesMs: [60_000, HOUR],
    ...more,
  };
  return planOf([
    stagePlan('canary-5', hour),
    stagePlan('canary-50', { ...hour, weights: { stable: 0.5, candidate: 0.5 } }),
  ]);
}

import { routeName, stageName, upstreamName } from '../../../src/plan/ids.js';
import type {
  CutsGuardrail,
  Guardrail,
  GuardrailAction,
  HistogramSpec,
  Plan,
  QuantileGuardrail,
  RateGuardrail,
  SampleRatioGuardrail,
  StagePlan,
} from '../../../src/plan/types.js';

/** Ten buckets to a factor of 1.2. */
export const LATENCY_BUCKETS: HistogramSpec = { gamma: 1.2 ** 0.1, xMin: 0.001 };

/** 22 buckets to a factor of 1.5. */
export const TOKEN_BUCKETS: HistogramSpec = { gamma: 1.5 ** (1 / 22), xMin: 1 };

const FIVE_STAGES: readonly StagePlan[] = [
  stage('shadow', { candidate: 0, mirror: 'candidate', mirrorShare: 1, mixtureShare: 0.2, ladder: 'early' }),
  stage('canary-5', { candidate: 0.05, mixtureShare: 0.7 / 3, ladder: 'early' }),
  stage('canary-25', { candidate: 0.25, mixtureShare: 0.7 / 3, ladder: 'middle' }),
  stage('canary-50', { candidate: 0.5, mixtureShare: 0.7 / 3, ladder: 'late' }),
  stage('flip', { candidate: 1, mirror: 'stable', mirrorShare: 0.1, mixtureShare: 0.1, ladder: 'late' }),
];

export function errorRate(overrides: Partial<RateGuardrail> = {}): RateGuardrail {
  return {
    kind: 'rate',
    name: 'error_rate',
    action: 'rollback',
    weight: 0.5,
    limit: 1.05,
    twoSided: false,
    typicalEffect: 0.4,
    promote: { ratios: { early: 2, middle: 1.5, late: 1.25 }, absolute: 0.005 },
    ...overrides,
  };
}

export function refusalRate(overrides: Partial<RateGuardrail> = {}): RateGuardrail {
  return {
    ...errorRate({ name: 'refusal_rate', action: 'hold', weight: 1, limit: 1.1, twoSided: true, promote: null }),
    ...overrides,
  };
}

export function latency(quantile: 0.5 | 0.95, overrides: Partial<QuantileGuardrail> = {}): QuantileGuardrail {
  return {
    kind: 'quantile',
    name: quantile === 0.5 ? 'latency_p50' : 'latency_p95',
    action: 'rollback',
    weight: quantile === 0.5 ? 0.2 : 0.3,
    signal: 'latency',
    quantile,
    limit: 1.2,
    histogram: LATENCY_BUCKETS,
    limitShift: 10,
    typicalEffect: 0.4,
    promote: { shifts: { early: 17, middle: 13, late: 10 } },
    ...overrides,
  };
}

export function firstToken(quantile: 0.5 | 0.95, overrides: Partial<QuantileGuardrail> = {}): QuantileGuardrail {
  return { ...latency(quantile), name: quantile === 0.5 ? 'ttft_p50' : 'ttft_p95', signal: 'ttft', ...overrides };
}

/** Misses up by 3 %; a promote gate only where a test says so. */
export function cacheHitRate(overrides: Partial<RateGuardrail> = {}): RateGuardrail {
  return {
    ...errorRate({ name: 'cache_hit_rate', limit: 1.03, typicalEffect: 0.2, promote: null }),
    ...overrides,
  };
}

export function abortRate(overrides: Partial<RateGuardrail> = {}): RateGuardrail {
  return { ...refusalRate({ name: 'abort_rate' }), ...overrides };
}

export function tokensPerResponse(overrides: Partial<CutsGuardrail> = {}): CutsGuardrail {
  return {
    kind: 'cuts',
    name: 'tokens_per_response',
    action: 'flag',
    weight: 1,
    signal: 'tokens',
    quantiles: [0.5, 0.75, 0.9, 0.95],
    limit: 1.5,
    histogram: TOKEN_BUCKETS,
    limitShift: 22,
    typicalEffect: 0.4,
    ...overrides,
  };
}

export function sampleRatio(overrides: Partial<SampleRatioGuardrail> = {}): SampleRatioGuardrail {
  return { kind: 'sample-ratio', name: 'sample_ratio', action: 'hold', weight: 1, alpha: 0.001, ...overrides };
}

/** The five-week plan with stages of seconds: error_rate, latency_p50 and latency_p95, intervals of a second. */
export function fivePlan(overrides: Partial<Plan> = {}): Plan {
  return {
    version: 1,
    route: routeName('support'),
    stable: upstreamName('llama-31'),
    candidate: upstreamName('llama-32'),
    preset: 'five-week',
    stages: FIVE_STAGES,
    guardrails: [errorRate(), latency(0.5), latency(0.95)],
    falseRollback: 0.05,
    falseHold: 0.05,
    falseFlag: 0.05,
    falsePromote: 0.05,
    requestTimeoutMs: 5_000,
    lease: { seconds: 900, onExpiry: 'stable' },
    ab: null,
    notify: [],
    digest: 'digest-of-the-fixture',
    ...overrides,
  };
}

/** The plan of the demo scenarios: α 0.5 %, error margin +2 points. */
export function demoPlan(): Plan {
  return fivePlan({
    falseRollback: 0.005,
    falseHold: 0.005,
    guardrails: [
      errorRate({ promote: { ratios: { early: 2, middle: 1.5, late: 1.25 }, absolute: 0.02 } }),
      latency(0.5),
      latency(0.95),
    ],
  });
}

/** One guardrail alone in its family. */
export function planWith(guardrail: Guardrail, action: GuardrailAction = guardrail.action): Plan {
  return fivePlan({ guardrails: [{ ...guardrail, action, weight: 1 }] });
}

interface StageShape {
  readonly candidate: number;
  readonly mirror?: 'stable' | 'candidate';
  readonly mirrorShare?: number;
  readonly mixtureShare: number;
  readonly ladder: StagePlan['ladder'];
}

function stage(name: string, shape: StageShape): StagePlan {
  const kind = name === 'shadow' || name === 'flip' ? name : 'canary';
  return {
    name: stageName(name),
    kind,
    weights: { stable: 1 - shape.candidate, candidate: shape.candidate },
    mirror: { variant: shape.mirror ?? 'candidate', share: shape.mirrorShare ?? 0 },
    durationMs: 14_000,
    maxDurationMs: 60_000,
    minRequests: 100,
    gate: 'auto',
    onUndecided: name === 'canary-50' ? 'extend' : 'advance',
    lookTimesMs: [1_000, 14_000],
    intervalMs: 1_000,
    warmupMs: 2_000,
    feedbackHorizonMs: 2_000,
    window: null,
    checks: [],
    mixtureShare: shape.mixtureShare,
    ladder: shape.ladder,
  };
}

/** What each guardrail is when a plan says nothing of it. */
import type { GuardrailAction, LadderStep, QuantileGuardrail } from './types.js';

type Ladder = Readonly<Record<LadderStep, number>>;

interface Defaults {
  readonly limit: number;
  /** Within its family, before it is scaled over the guardrails that are on. */
  readonly weight: number;
  readonly action: GuardrailAction;
  /** d*, nats. */
  readonly typicalEffect: number;
}

export interface RateDefaults extends Defaults {
  /** Ratios of the promote margins by step. */
  readonly ladder: Ladder;
  readonly margin: number;
  /** It is a promote gate whenever it rolls back, or only where the plan writes `promote`. */
  readonly gates: 'always' | 'where-written';
}

export interface QuantileDefaults extends Defaults {
  readonly signal: QuantileGuardrail['signal'];
  readonly quantile: number;
}

/** Odds or rates of a bad event. `early` of the cache is never asked: it is compared from a share of 25% on. */
export const RATE_DEFAULTS = {
  error_rate: {
    limit: 1.05,
    weight: 0.25,
    action: 'rollback',
    typicalEffect: 0.4,
    ladder: { early: 2, middle: 1.5, late: 1.25 },
    margin: 0.005,
    gates: 'always',
  },
  cache_hit_rate: {
    limit: 1.03,
    weight: 0.1,
    action: 'rollback',
    typicalEffect: 0.2,
    ladder: { early: 1.2, middle: 1.2, late: 1.1 },
    margin: 0,
    gates: 'where-written',
  },
  feedback: {
    limit: 1.05,
    weight: 0.2,
    action: 'rollback',
    typicalEffect: 0.4,
    ladder: { early: 2, middle: 1.5, late: 1.3 },
    margin: 0,
    gates: 'where-written',
  },
} as const satisfies Readonly<Record<string, RateDefaults>>;

export const TWO_SIDED_DEFAULTS = {
  refusal_rate: { limit: 1.1, weight: 0.35, action: 'hold', typicalEffect: 0.4 },
  abort_rate: { limit: 1.1, weight: 0.15, action: 'hold', typicalEffect: 0.4 },
  response_rate: { limit: 1.1, weight: 0.1, action: 'hold', typicalEffect: 0.4 },
} as const satisfies Readonly<Record<string, Defaults>>;

const RATIO_OF_TIMES = { limit: 1.2, action: 'rollback', typicalEffect: 0.4 } as const;

export const QUANTILE_DEFAULTS = {
  latency_p50: { ...RATIO_OF_TIMES, signal: 'latency', quantile: 0.5, weight: 0.1 },
  latency_p95: { ...RATIO_OF_TIMES, signal: 'latency', quantile: 0.95, weight: 0.15 },
  ttft_p50: { ...RATIO_OF_TIMES, signal: 'ttft', quantile: 0.5, weight: 0.1 },
  ttft_p95: { ...RATIO_OF_TIMES, signal: 'ttft', quantile: 0.95, weight: 0.1 },
} as const satisfies Readonly<Record<string, QuantileDefaults>>;

/** Promotion margins of times as powers of the limit: 17, 13 and 10 buckets where the limit has ten. */
export const TIME_POWERS: Ladder = { early: 1.7, middle: 1.3, late: 1 };

export const TOKEN_DEFAULTS = {
  limit: 1.5,
  weight: 1,
  action: 'flag',
  typicalEffect: 0.4,
  quantiles: [0.5, 0.75, 0.9, 0.95],
} as const satisfies Defaults & { readonly quantiles: readonly number[] };

export const SAMPLE_RATIO_DEFAULTS = { alpha: 0.001, action: 'hold' } as const;

/** Where the buckets of times begin, ms. */
export const TIME_X_MIN = 0.001;

/** Where the buckets of token counts begin: they are whole, and an answer of none is as short as one of one. */
export const TOKENS_X_MIN = 1;

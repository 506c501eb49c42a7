/** What is assumed of the stable model before a rollout: how often it fails, how its values spread. */
import type { Histogram } from '../../evidence/record.js';
import { requireOpenRate, requirePositive } from '../../statistics/checks.js';
import type { Guardrail, GuardrailName } from '../types.js';

/** Where a baseline comes from, so that a guess is never read as a measurement. */
export type BaselineOrigin = 'default' | 'given' | 'measured';

interface BaselineBase {
  /** Share of the requests that count for the guardrail, in (0, 1]: rated ones, streams. */
  readonly share: number;
  readonly origin: BaselineOrigin;
}

/** Rate of the bad event, in (0, 1). */
export interface RateBaseline extends BaselineBase {
  readonly kind: 'rate';
  readonly rate: number;
}

/** How values spread around their median on the logarithmic scale; only the shape matters to a ratio of quantiles. */
export type Spread =
  /** Lognormal, with this standard deviation of the natural logarithm. */
  | { readonly kind: 'lognormal'; readonly logSd: number }
  /** As measured. */
  | { readonly kind: 'histogram'; readonly histogram: Histogram };

export interface ValuesBaseline extends BaselineBase {
  readonly kind: 'values';
  readonly spread: Spread;
}

export type Baseline = RateBaseline | ValuesBaseline;

/** By guardrail; what is missing takes its default. */
export type Baselines = Readonly<Partial<Record<GuardrailName, Baseline>>>;

/** What a forecast is made from. */
export interface ForecastInput {
  /** Of the route, all of its clients together. */
  readonly requestsPerSecond: number;
  readonly baselines: Baselines;
}

/** Rates of endpoints that nobody complains about; a forecast from them is a guess and says so. */
const DEFAULT_RATES: Readonly<Partial<Record<GuardrailName, Pick<RateBaseline, 'rate' | 'share'>>>> = {
  error_rate: { rate: 0.01, share: 1 },
  cache_hit_rate: { rate: 0.5, share: 0.8 },
  feedback: { rate: 0.15, share: 0.01 },
  refusal_rate: { rate: 0.02, share: 1 },
  abort_rate: { rate: 0.02, share: 1 },
  response_rate: { rate: 0.01, share: 1 },
};
const OTHER_RATE = { rate: 0.05, share: 1 };

/** The share of requests that count for a guardrail when nobody says it: few are rated, and not all prompts can be cached. */
export function defaultShare(name: GuardrailName): number {
  return (DEFAULT_RATES[name] ?? OTHER_RATE).share;
}

const DEFAULT_LOG_SD = { latency: 0.8, ttft: 0.8, tokens: 1 } as const;

/** A rate of 0 has no odds: nothing below this is assumed, as nothing below it is a baseline in a rollout. */
const LOWEST_RATE = 0.0001;

/**
 * The baseline of a guardrail: as given, else its default; null for one that needs none. Throws `rate out of range` on
 * a share outside (0, 1], and when what is given is not of the guardrail's kind.
 */
export function baselineOf(guardrail: Guardrail, given: Baselines): Baseline | null {
  const baseline = given[guardrail.name] ?? defaultOf(guardrail, given);
  if (baseline === null) return null;
  requirePositive(baseline.share, `share of ${guardrail.name}`);
  if (baseline.share > 1) throw new RangeError(`share of ${guardrail.name} is ${baseline.share}, above 1`);
  if (baseline.kind === 'values') return baseline;
  const rate = Math.min(Math.max(baseline.rate, LOWEST_RATE), 1 - LOWEST_RATE);
  requireOpenRate(rate, `baseline of ${guardrail.name}`);
  return { ...baseline, rate };
}

function defaultOf(guardrail: Guardrail, { feedback }: Baselines): Baseline | null {
  switch (guardrail.kind) {
    case 'rate':
      // Who says how many requests are rated has said how many answers get a rating.
      if (guardrail.name === 'response_rate' && feedback !== undefined)
        return { kind: 'rate', origin: feedback.origin, rate: feedback.share, share: 1 };
      return { kind: 'rate', origin: 'default', ...(DEFAULT_RATES[guardrail.name] ?? OTHER_RATE) };
    case 'feedback':
      return { kind: 'rate', origin: 'default', ...(DEFAULT_RATES[guardrail.name] ?? OTHER_RATE) };
    case 'quantile':
    case 'cuts':
      return {
        kind: 'values',
        origin: 'default',
        share: 1,
        spread: { kind: 'lognormal', logSd: DEFAULT_LOG_SD[guardrail.signal] },
      };
    case 'sample-ratio':
      return null;
  }
}

/** A guardrail's tests as the planner sees them: two rates of a bad event and a limit. */
import { logOddsTo } from '../../statistics/assessment/promote-margin.js';
import { rateSource } from '../../statistics/assessment/rate-source.js';
import type { TestScenario } from '../../statistics/planner.js';
import type { CutsGuardrail, FeedbackGuardrail, Guardrail, QuantileGuardrail, RateGuardrail } from '../types.js';
import type { Baseline, Spread } from './baseline.js';
import { upperTail } from './upper-tail.js';

/** θ_R and θ_P of quantiles and cuts: half a bucket of discretisation is no breach, and no merit either (§4.3). */
export const VALUES_BREACH_LIMIT = 0.02;
export const VALUES_PROMOTE_LIMIT = -0.02;

/** One test; `alphaShare` is the part of the guardrail's own α that it has. */
export type Comparison = Pick<TestScenario, 'stableRate' | 'candidateRate' | 'limit' | 'typicalEffect'> & {
  readonly alphaShare: number;
};

/**
 * The tests towards the guardrail's action when the candidate is `ratio` times worse: its rate of bad events, or every
 * one of its values. Any of them suffices. Empty where there is no such candidate (a rate of 1 or more) or no such test.
 */
export function breachComparisons(
  guardrail: Guardrail,
  baseline: Baseline | null,
  ratio: number,
): readonly Comparison[] {
  switch (guardrail.kind) {
    case 'rate':
    case 'feedback': {
      if (baseline?.kind !== 'rate') return [];
      const candidateRate = ratio * baseline.rate;
      if (candidateRate >= 1) return [];
      return [
        {
          stableRate: baseline.rate,
          candidateRate,
          limit: rateLimit(guardrail, baseline.rate),
          typicalEffect: guardrail.typicalEffect,
          // Half of a two-sided test's weight is on the other side.
          alphaShare: guardrail.kind === 'rate' && guardrail.twoSided ? 0.5 : 1,
        },
      ];
    }
    case 'quantile':
      return valueComparisons(guardrail, [guardrail.quantile], baseline, ratio);
    case 'cuts':
      return valueComparisons(guardrail, guardrail.quantiles, baseline, ratio);
    case 'sample-ratio':
      return [];
  }
}

/**
 * Bad events of the candidate beyond stable's, by request that counts: extra errors; for values those that are slower
 * (or longer) than stable's own quantile, the lowest one of cuts.
 */
export function extraBadEvents(guardrail: Guardrail, baseline: Baseline | null, ratio: number): number {
  switch (guardrail.kind) {
    case 'rate':
    case 'feedback':
      return baseline?.kind === 'rate' ? Math.min(1, ratio * baseline.rate) - baseline.rate : 0;
    case 'quantile':
      return extraAbove(baseline, guardrail.quantile, ratio);
    case 'cuts':
      return extraAbove(baseline, Math.min(...guardrail.quantiles), ratio);
    case 'sample-ratio':
      return 0;
  }
}

function extraAbove(baseline: Baseline | null, quantile: number, ratio: number): number {
  if (baseline?.kind !== 'values') return 0;
  return upperTail(baseline.spread, quantile, -Math.log(ratio)) - upperTail(baseline.spread, quantile, 0);
}

function valueComparisons(
  { limitShift, histogram, typicalEffect }: QuantileGuardrail | CutsGuardrail,
  quantiles: readonly number[],
  baseline: Baseline | null,
  ratio: number,
): readonly Comparison[] {
  if (baseline?.kind !== 'values') return [];
  const shift = limitShift * Math.log(histogram.gamma);
  return quantiles.map((quantile) => ({
    ...valueRates(baseline.spread, quantile, shift, ratio),
    limit: VALUES_BREACH_LIMIT,
    typicalEffect,
    alphaShare: 1 / quantiles.length,
  }));
}

/** θ_R, nats: a limit of odds as it is, one of rates around stable's own rate (§3.5). */
function rateLimit({ name, limit }: RateGuardrail | FeedbackGuardrail, rate: number): number {
  return rateSource(name)?.limitOf === 'rates' ? logOddsTo(limit * rate, rate) : Math.log(limit);
}

/** Rates must have odds. */
const LEAST_RATE = 1e-9;

/**
 * Shares of values above stable's quantile, for a candidate above that quantile times e^shift; its values are `ratio`
 * times stable's.
 */
export function valueRates(
  spread: Spread,
  quantile: number,
  shift: number,
  ratio: number,
): Pick<Comparison, 'stableRate' | 'candidateRate'> {
  const inside = (rate: number): number => Math.min(Math.max(rate, LEAST_RATE), 1 - LEAST_RATE);
  return {
    stableRate: inside(upperTail(spread, quantile, 0)),
    candidateRate: inside(upperTail(spread, quantile, shift - Math.log(ratio))),
  };
}

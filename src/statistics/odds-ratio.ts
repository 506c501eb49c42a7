import { requireOpenRate, requirePositive } from './checks.js';
import { StatisticsError } from './errors.js';

/** ln(p / (1 − p)), nats. Throws unless 0 < p < 1. */
export function logit(rate: number): number {
  requireOpenRate(rate, 'rate');
  return Math.log(rate) - Math.log1p(-rate);
}

/** 1 / (1 + e^−x), the inverse of `logit`. */
export function expit(logOdds: number): number {
  return logOdds >= 0 ? 1 / (1 + Math.exp(-logOdds)) : Math.exp(logOdds) / (1 + Math.exp(logOdds));
}

/**
 * θ = logit(ratio · stableRate) − logit(stableRate): a tolerance that people state as a ratio of rates, as the log odds
 * ratio that tests use. An absolute tolerance δ is the ratio (stableRate + δ) / stableRate.
 *
 * `stableRate` is the configured or frozen baseline, never the rate of the data under test. Nats. Throws `rate out of
 * range` unless both rates lie strictly between 0 and 1. Source: method §1.
 */
export function logOddsRatioFromRatio(stableRate: number, ratio: number): number {
  requirePositive(ratio, 'ratio');
  const limitRate = ratio * stableRate;
  if (!(stableRate > 0 && stableRate < 1 && limitRate > 0 && limitRate < 1)) {
    throw new StatisticsError('rate-out-of-range', 'rate out of range');
  }
  return logit(limitRate) - logit(stableRate);
}

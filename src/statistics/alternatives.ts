import { requirePositive } from './checks.js';
import { StatisticsError } from './errors.js';

/** The distances from a limit at which a test looks for an effect, in nats: a geometric progression. */
export interface OffsetRange {
  readonly smallest: number;
  readonly largest: number;
  readonly ratio: number;
}

/** 0.02 … 2.92 in 20 steps: from an odds ratio of 1.02 to one of 18 beyond the limit. */
export const DEFAULT_OFFSETS: OffsetRange = { smallest: 0.02, largest: 3.2, ratio: 1.3 };

/**
 * d_j = smallest · ratio^j, for every d_j ≤ largest.
 *
 * Geometric because a test decides when (effect)²·information/2 ≈ 6, so a miss of 12 % in d costs 1.5 % of the evidence
 * at any scale. Units: nats (log odds ratio). Throws unless 0 < smallest ≤ largest and ratio > 1. Source: method §2.1.
 */
export function alternativeOffsets(range: OffsetRange = DEFAULT_OFFSETS): readonly number[] {
  const { smallest, largest, ratio } = range;
  requirePositive(smallest, 'smallest offset');
  requirePositive(largest, 'largest offset');
  requirePositive(ratio, 'ratio of offsets');
  if (largest < smallest) throw new StatisticsError('out-of-range', 'largest offset is below the smallest');
  if (ratio <= 1) throw new StatisticsError('out-of-range', 'ratio of offsets must exceed 1');
  // The slack keeps an exact last step (largest = smallest·ratio^j) from falling to the rounding of a logarithm.
  const steps = Math.floor(Math.log(largest / smallest) / Math.log(ratio) + 1e-9);
  return Array.from({ length: steps + 1 }, (_, j) => smallest * ratio ** j);
}

/**
 * w_j ∝ exp(−½·(ln(d_j / typicalEffect) / spread)²), Σ w_j = 1: the prior over how far beyond its limit an effect lies.
 *
 * `typicalEffect` is the effect one most wants to catch; being wrong about it by a factor f costs ½·ln² f nats (f = 4:
 * one nat), never validity. Units: nats. Throws unless all are positive. Source: method §2.2.
 */
export function lognormalWeights(offsets: readonly number[], typicalEffect: number, spread = 1): readonly number[] {
  requirePositive(typicalEffect, 'typical effect');
  requirePositive(spread, 'spread');
  const exponents = offsets.map((offset) => {
    requirePositive(offset, 'offset');
    return -0.5 * (Math.log(offset / typicalEffect) / spread) ** 2;
  });
  // Only differences matter, so the largest exponent is taken as 0: far-off effects would otherwise all underflow.
  const largest = Math.max(...exponents);
  const weights = exponents.map((exponent) => Math.exp(exponent - largest));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => weight / sum);
}

import { requireOpenRate, requireSameLength } from './checks.js';
import { StatisticsError } from './errors.js';
import { logSumExp } from './log-sum-exp.js';

/** A closed interval of log odds ratios, in nats; ±Infinity where the grid ends. */
export interface Interval {
  readonly lower: number;
  readonly upper: number;
}

/**
 * The confidence sequence for θ: {θ : ℓ(θ) > ln[mean_g exp ℓ(θ_g)] − ln(1/α)} over an ascending grid, each end reported
 * one grid step further out, and ±∞ where it reaches the grid's end.
 *
 * It covers the true log odds ratio at all times at once with probability 1 − α, so it may be watched; it covers a
 * *constant* θ (otherwise a weighted average of the intervals' effects), and must be labelled so. Show exp(θ) as odds
 * ratio. Units: nats. Shapes: `theta` and `profile` are the display part of grid and profile, of equal length. Throws
 * on an empty or unordered grid, on NaN, and unless 0 < α < 1. Source: method §2.5.
 */
export function confidenceSequence(theta: ArrayLike<number>, profile: ArrayLike<number>, alpha: number): Interval {
  requireSameLength(theta.length, profile.length, 'theta and profile');
  requireOpenRate(alpha, 'alpha');
  if (theta.length === 0) throw new StatisticsError('length-mismatch', 'the grid is empty');
  const bar = logSumExp(profile) - Math.log(profile.length) + Math.log(alpha);

  let first = Infinity;
  let last = -Infinity;
  for (let i = 0; i < profile.length; i++) {
    if (i > 0 && !(pointAt(theta, i) > pointAt(theta, i - 1))) {
      throw new StatisticsError('out-of-range', 'the grid must ascend');
    }
    if ((profile[i] ?? -Infinity) > bar) {
      first = Math.min(first, i);
      last = i;
    }
  }
  return {
    lower: first === 0 ? -Infinity : pointAt(theta, first - 1),
    upper: last === theta.length - 1 ? Infinity : pointAt(theta, last + 1),
  };
}

function pointAt(theta: ArrayLike<number>, index: number): number {
  return theta[index] ?? Number.NaN;
}

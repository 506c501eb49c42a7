import { requireCount, requireFinite } from './checks.js';
import { StatisticsError } from './errors.js';
import type { Profile } from './table-profile.js';

/** Sums of one variant's values in a stage. */
export interface Moments {
  readonly count: number;
  readonly sum: number;
  readonly sumOfSquares: number;
}

/** An estimate of the log ratio of means and its information (inverse variance). Both 0: nothing is known. */
export interface LogRatioEstimate {
  readonly logRatio: number;
  readonly information: number;
}

const NO_INFORMATION: LogRatioEstimate = { logRatio: 0, information: 0 };

/**
 * θ̂ = ln(mean_candidate / mean_stable) and 1/I = s²/(n·mean²) of either variant, summed: the delta method.
 *
 * Units of the values cancel; θ̂ in nats. No information when a variant has fewer than 2 values, a mean of 0 or less,
 * or none of them vary. Multiply the variance by a design effect by dividing I. Throws on bad counts, on NaN and on a
 * negative sum of squares. Asymptotic: for display and as a fallback, the tests are exact. Source: method §5.4.
 */
export function logRatioEstimate(candidate: Moments, stable: Moments): LogRatioEstimate {
  const candidateVariance = relativeVarianceOfMean(candidate);
  const stableVariance = relativeVarianceOfMean(stable);
  if (candidateVariance === null || stableVariance === null) return NO_INFORMATION;
  const variance = candidateVariance + stableVariance;
  if (variance <= 0) return NO_INFORMATION;
  return {
    logRatio: Math.log(candidate.sum / candidate.count / (stable.sum / stable.count)),
    information: 1 / variance,
  };
}

/**
 * The Gaussian evidence profile ℓ(θ) = θ·S − θ²·I/2 with score S = Σ θ̂·I and information I, sums over stages.
 *
 * Feed it to `logEValue` like any profile, but only from 100 candidate values on (300 and capped values for a gate):
 * it is asymptotic, and skewed values break it. Nats. Throws on NaN, infinities and a negative information.
 * Source: method §5.4.
 */
export function gaussianProfile(theta: ArrayLike<number>, score: number, information: number): Profile {
  requireFinite(score, 'score');
  requireInformation(information);
  return Float64Array.from(theta, (point) => {
    requireFinite(point, 'theta');
    return point * score - (point * point * information) / 2;
  });
}

function relativeVarianceOfMean(moments: Moments): number | null {
  const { count, sum, sumOfSquares } = moments;
  requireCount(count);
  requireFinite(sum, 'sum');
  requireFinite(sumOfSquares, 'sum of squares');
  if (sumOfSquares < 0) throw new StatisticsError('out-of-range', 'sum of squares must not be negative');
  if (count < 2 || sum <= 0) return null;
  const mean = sum / count;
  // Rounding can leave equal values with a variance just below 0.
  const variance = Math.max(0, (sumOfSquares - sum * mean) / (count - 1));
  return variance / (count * mean * mean);
}

function requireInformation(information: number): void {
  requireFinite(information, 'information');
  if (information < 0) throw new StatisticsError('out-of-range', 'information must not be negative');
}

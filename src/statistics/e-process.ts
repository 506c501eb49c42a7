import { StatisticsError } from './errors.js';
import type { GridTest, OneSidedTest } from './evidence-grid.js';
import { logSumExp } from './log-sum-exp.js';

/**
 * The log e-value of a profile against a test's null hypothesis. Reject at 1/α: ln E ≥ −ln α.
 *
 * - `greater`, H0: θ ≤ θ0 in every interval: ln Σ_j w_j·exp(ℓ(θ0 + d_j) − ℓ(θ0)); a breach of a rollback limit.
 * - `less`, H0: θ ≥ θ0 in every interval: the same with θ0 − d_j; "better than the margin", which opens a gate.
 * - `two-sided`, H0: |θ| ≤ τ in every interval: ln of the mean of `greater` at +τ and `less` at −τ.
 *
 * Valid however often and whenever one looks: each product of conditional likelihood ratios over intervals is a
 * supermartingale under H0 (monotone likelihood ratio, Chebyshev's association inequality), so is their fixed mixture,
 * and Ville's inequality bounds the chance that it ever reaches 1/α. Nothing is assumed about baseline or split.
 *
 * Every ℓ is divided by `designEffect` (design-effect.ts): requests of users who resemble themselves are worth less.
 *
 * Units: nats. Throws on NaN and when the profile is shorter than the grid that the test belongs to.
 * Source: method §2.3, §2.4, §8.2.
 */
export function logEValue(profile: ArrayLike<number>, test: GridTest, designEffect = 1): number {
  if (test.side !== 'two-sided') return logOneSided(profile, test, designEffect);
  const greater = logOneSided(profile, test.greater, designEffect);
  const less = logOneSided(profile, test.less, designEffect);
  return logSumExp([greater, less]) - Math.LN2;
}

function logOneSided(profile: ArrayLike<number>, test: OneSidedTest, designEffect: number): number {
  const { logWeights, nullIndex } = test;
  const atNull = valueAt(profile, nullIndex);
  return logSumExp(
    logWeights.map((logWeight, j) => logWeight + (valueAt(profile, nullIndex + 1 + j) - atNull) / designEffect),
  );
}

function valueAt(profile: ArrayLike<number>, index: number): number {
  const value = profile[index];
  if (value === undefined) throw new StatisticsError('length-mismatch', 'the profile is shorter than its grid');
  return value;
}

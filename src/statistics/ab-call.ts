import { requireNumber, requireOpenRate } from './checks.js';
import { logSumExp } from './log-sum-exp.js';

/** ln of the e-values of an A/B comparison, nats. */
export interface AbLogE {
  /** Against "the candidate is not worse": H0 θ ≤ 0 in every interval. */
  readonly worse: number;
  /** Against "the candidate is not better": H0 θ ≥ 0 in every interval. */
  readonly better: number;
  /** Against "outside the margin, either way": the smaller of the two one-sided ones; null = there is no margin. */
  readonly inside: number | null;
}

export type AbCall = 'candidate-better' | 'stable-better' | 'no-difference' | 'undecided';

/**
 * ln of the two-sided e-value against "no difference": the mean of both one-sided ones, an e-process at θ = 0 as each of
 * them is. Nats. Throws on NaN. Source: method §2.3.
 */
export function logDifference({ worse, better }: Pick<AbLogE, 'worse' | 'better'>): number {
  return logSumExp([worse, better]) - Math.LN2;
}

/**
 * What an A/B comparison has found, each call wrong with probability at most α however often one looks.
 *
 * - `no-difference`: both one-sided tests against the margin are at 1/α. An effect outside the margin has to fool the one
 *   on its side, so that neither is corrected (intersection-union). It comes before a difference: one that is shown to be
 *   inside the margin is none that the plan cares for.
 * - `candidate-better` or `stable-better`: the two-sided e-value is at 1/α; the larger side has the word.
 *
 * Throws on NaN and unless 0 < α < 1.
 */
export function abCall(logE: AbLogE, alpha: number): AbCall {
  requireOpenRate(alpha, 'alpha');
  for (const value of [logE.worse, logE.better, logE.inside ?? 0]) requireNumber(value, 'log e-value');
  const bound = -Math.log(alpha);
  if (logE.inside !== null && logE.inside >= bound) return 'no-difference';
  if (logDifference(logE) < bound) return 'undecided';
  return logE.better >= logE.worse ? 'candidate-better' : 'stable-better';
}

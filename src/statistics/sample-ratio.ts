import { requireFinite, requirePositive, requireSameLength, requireWeights } from './checks.js';
import { StatisticsError } from './errors.js';
import { stirlingRemainder } from './stirling.js';

/** Strength of the prior around the intended split, in assignments. */
const DEFAULT_CONCENTRATION = 1000;

/**
 * ln E of "assignments follow the split": the Dirichlet-multinomial against the multinomial, prior α_a = A·split_a.
 *
 * lnB(α + n) − lnB(α) − Σ n_a·ln split_a, with the leading parts of the log-gammas cancelled by hand:
 * Σ_a (α_a + n_a − ½)·ln ρ_a − ((k − 1)/2)·ln((A + N)/A) + Σ_a [r(α_a + n_a) − r(α_a)] − [r(A + N) − r(A)],
 * where ρ_a = (α_a + n_a)/(split_a·(A + N)) and r is Stirling's remainder; exact to rounding at any count.
 *
 * `counts` are new sticky assignments (or requests, divided by a design effect, so not necessarily whole), one per
 * variant; `split` their intended shares. Each generation is a segment with a prior of its own: add the segments' ln E.
 * Alarm at ln 1000. Nats. Throws on negative counts, on a share of 0 or less and unless the shares sum to 1.
 * Source: Lindon & Malek 2022; method §6.
 */
export function sampleRatioLogE(
  counts: readonly number[],
  split: readonly number[],
  concentration = DEFAULT_CONCENTRATION,
): number {
  requireSameLength(counts.length, split.length, 'counts and split');
  requirePositive(concentration, 'concentration');
  requireWeights(split, 'split');
  let total = 0;
  for (const count of counts) {
    requireFinite(count, 'counts');
    if (count < 0) throw new StatisticsError('counts-not-integers', 'counts must be non-negative integers');
    total += count;
  }
  const posterior = concentration + total;
  let logE = -((counts.length - 1) / 2) * Math.log1p(total / concentration);
  logE -= stirlingRemainder(posterior) - stirlingRemainder(concentration);
  for (const [variant, count] of counts.entries()) {
    const share = split[variant] ?? Number.NaN;
    requirePositive(share, 'split');
    const prior = concentration * share;
    // ln ρ by its distance from 1, which is small when the split is right.
    const logRho = Math.log1p((count - share * total) / (share * posterior));
    logE += (prior + count - 0.5) * logRho + stirlingRemainder(prior + count) - stirlingRemainder(prior);
  }
  return logE;
}

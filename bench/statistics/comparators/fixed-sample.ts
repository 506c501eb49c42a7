import { erfc } from '../../../src/statistics/normal-distribution.js';

export interface FixedSampleDesign {
  readonly stableRate: number;
  readonly candidateRate: number;
  /** The candidate's share of the requests. */
  readonly share: number;
  readonly alpha: number;
  readonly power: number;
}

/**
 * Candidate requests of the classical one-sided test of two proportions that looks once, at a size fixed beforehand:
 * [z_α·√(p̄q̄(1 + 1/k)) + z_β·√(p_c·q_c + p_s·q_s/k)]² / (p_c − p_s)², k stable requests per candidate request.
 * What a test that may not be watched would need.
 */
export function fixedSampleCandidateRequests(design: FixedSampleDesign): number {
  const { stableRate, candidateRate, share, alpha, power } = design;
  const perCandidate = (1 - share) / share;
  const pooled = share * candidateRate + (1 - share) * stableRate;
  const nullDeviation = Math.sqrt(pooled * (1 - pooled) * (1 + 1 / perCandidate));
  const trueDeviation = Math.sqrt(candidateRate * (1 - candidateRate) + (stableRate * (1 - stableRate)) / perCandidate);
  const distance = normalQuantile(1 - alpha) * nullDeviation + normalQuantile(power) * trueDeviation;
  return (distance / (candidateRate - stableRate)) ** 2;
}

/** Φ^−1 by bisection. */
export function normalQuantile(probability: number): number {
  let low = -40;
  let high = 40;
  for (;;) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) return middle;
    if (erfc(-middle / Math.SQRT2) / 2 < probability) low = middle;
    else high = middle;
  }
}

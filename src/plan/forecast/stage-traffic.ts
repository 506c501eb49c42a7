import type { StagePlan } from '../types.js';

/** Requests a second that a stage gives to its comparisons. */
export interface StageTraffic {
  /** Of both variants together, in the strata that are compared. */
  readonly comparedPerSecond: number;
  /** The candidate's share of these. */
  readonly candidateShare: number;
  /** All that stable, or the candidate, answers: mirrored requests too. */
  readonly stablePerSecond: number;
  readonly candidatePerSecond: number;
  /** The candidate's requests that somebody waits for. */
  readonly servedByCandidatePerSecond: number;
}

/**
 * The traffic of a stage on a route with `requestsPerSecond`. In a mirrored stage only mirrored requests are compared,
 * each on both variants. Null where nothing is compared.
 */
export function stageTraffic(stage: StagePlan, requestsPerSecond: number): StageTraffic | null {
  const { weights, mirror } = stage;
  const mirrored = mirror.share * requestsPerSecond;
  const served = { stable: weights.stable * requestsPerSecond, candidate: weights.candidate * requestsPerSecond };
  const isMirrored = mirror.share > 0;
  if (!isMirrored && (weights.candidate === 0 || weights.stable === 0)) return null;
  return {
    comparedPerSecond: isMirrored ? 2 * mirrored : requestsPerSecond,
    candidateShare: isMirrored ? 0.5 : weights.candidate,
    stablePerSecond: served.stable + (mirror.variant === 'stable' ? mirrored : 0),
    candidatePerSecond: served.candidate + (mirror.variant === 'candidate' ? mirrored : 0),
    servedByCandidatePerSecond: served.candidate,
  };
}

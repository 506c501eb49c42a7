import type { StagePlan } from '../../plan/types.js';

/**
 * Why a stage shows what users rate and does not compare the variants on it, in words; null = it compares them. Only what
 * users were served can be rated.
 */
export function onlyShownRatings({ weights, mirror }: StagePlan): string | null {
  if (weights.stable === 0) return 'only shown: no-control, stable serves nobody in this stage';
  if (mirror.share > 0 || weights.candidate === 0) {
    return 'only shown: users get answers of stable alone, and nobody rates a mirrored one';
  }
  return null;
}

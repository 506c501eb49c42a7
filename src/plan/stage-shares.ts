/** What follows from a stage's kind and share alone. */
import type { WrittenStage } from './stage-schema.js';
import type { LadderStep } from './types.js';

/** Half of the units each tell a difference the soonest. */
const AB_SHARE = 0.5;

/** The share of units that a stage lets the candidate serve, 0..1. */
export function servedShare(stage: WrittenStage): number {
  switch (stage.kind) {
    case 'shadow':
      return 0;
    case 'canary':
      return stage.share;
    case 'ab':
      return stage.share ?? AB_SHARE;
    case 'flip':
      return 1;
  }
}

/** Small shares ask only whether there is harm, large ones whether the candidate is as good. */
export function ladderOf(share: number): LadderStep {
  if (share < 0.25) return 'early';
  return share < 0.5 ? 'middle' : 'late';
}

/**
 * π of the restart mixture: .2 to shadow, .1 to the flip, the rest equally over the stages in which both variants serve; of
 * an absent one to the others.
 */
export function mixtureShares(stages: readonly WrittenStage[]): readonly number[] {
  const counts = { shadow: 0, canary: 0, ab: 0, flip: 0 };
  for (const { kind } of stages) counts[kind] += 1;
  const served = counts.canary + counts.ab;
  const shares = { shadow: counts.shadow > 0 ? 0.2 : 0, flip: counts.flip > 0 ? 0.1 : 0 };
  const rest = 1 - shares.shadow - shares.flip;
  // Without any of these the rest goes to what there is.
  const spare = served === 0 ? rest / stages.length : 0;
  return stages.map(({ kind }) => {
    const own = kind === 'canary' || kind === 'ab' ? rest / served : shares[kind] / counts[kind] + spare;
    return Number(own.toFixed(12));
  });
}

import { isDeepStrictEqual } from 'node:util';
import type { Split } from '../../plan/split.js';
import { isResting } from '../../plan/split.js';

/** What becomes of a split that is written to a route. */
export type WriteJudgement =
  /** It is newer and nobody else's: it takes effect. */
  | 'accept'
  /** Exactly what is there: a retry, answered like the first time. */
  | 'repeat'
  /** Its generation is not above the current one. */
  | 'stale'
  /** Another rollout's split is in force. */
  | 'owned';

/**
 * The fencing rule. A generation never goes back and never has two bodies; while a rollout's split is in force no other
 * rollout replaces it, whatever its generation, unless a person takes over.
 */
export function judgeWrite(current: Split, inForce: boolean, proposed: Split, takeOver: boolean): WriteJudgement {
  if (proposed.generation === current.generation) return isDeepStrictEqual(proposed, current) ? 'repeat' : 'stale';
  if (proposed.generation < current.generation) return 'stale';
  const belongsToOther = !isResting(current) && inForce && proposed.rollout !== current.rollout;
  return belongsToOther && !takeOver ? 'owned' : 'accept';
}

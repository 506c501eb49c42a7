import { createTracker } from '../../statistics/assessment/create-tracker.js';
import { rateSource } from '../../statistics/assessment/rate-source.js';
import { onlyShownRatings } from '../../statistics/assessment/rating-stage.js';
import type { Guardrail, Plan, StagePlan } from '../types.js';

/** The two variants can be compared on it in this stage, as far as its split goes. */
export function isComparable(guardrail: Guardrail, stage: StagePlan): boolean {
  switch (guardrail.kind) {
    case 'rate':
      return guardrail.name === 'response_rate'
        ? onlyShownRatings(stage) === null
        : (rateSource(guardrail.name)?.comparable(stage) ?? true);
    case 'feedback':
      return onlyShownRatings(stage) === null;
    case 'quantile':
    case 'cuts':
      return true;
    case 'sample-ratio':
      // Who is mirrored is not assigned.
      return stage.mirror.share === 0;
  }
}

/** It is a promote gate of this stage; a rollout asks for time to the first token only once it has seen a stream. */
export function isGate(guardrail: Guardrail, plan: Plan, stageIndex: number): boolean {
  if (guardrail.kind === 'quantile') return guardrail.action === 'rollback' && guardrail.promote !== null;
  return createTracker(guardrail, plan, undefined, undefined).gates(stageIndex);
}

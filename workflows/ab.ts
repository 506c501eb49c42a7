/** How an `ab` stage ends: pure. */
import type { AbReading, Look } from '../src/evidence/look.js';
import type { AbPlan, StagePlan } from '../src/plan/types.js';

export type AbFinding = AbReading['finding'];

/** What of a situation, or of a state, an ab stage's end depends on. */
export interface AbSituation {
  readonly stage: StagePlan;
  readonly look: Look | null;
  /** Findings of this stage for which it was held, and resumed by a person. */
  readonly heard: readonly AbFinding[];
}

/** What a stage has found on requests enough; null while it is undecided, and in a stage of another kind. */
export function decidedOn({ stage, look }: Pick<AbSituation, 'stage' | 'look'>): AbReading | null {
  if (stage.kind !== 'ab' || look === null || !look.promote.open) return null;
  return look.ab === null || look.ab.finding === 'undecided' ? null : look.ab;
}

/** The same, unless a person has heard of it. */
export function newsOf(at: AbSituation): AbReading | null {
  const found = decidedOn(at);
  return found !== null && at.heard.includes(found.finding) ? null : found;
}

/**
 * What follows from a finding.
 *
 * | winner    | candidate is better | stable is better | no difference |
 * |-----------|---------------------|------------------|---------------|
 * | act       | pass                | rollback         | hold          |
 * | recommend | hold                | hold             | hold          |
 */
export function endingOf({ finding }: AbReading, winner: AbPlan['winner']): 'pass' | 'rollback' | 'hold' {
  if (winner === 'recommend') return 'hold';
  switch (finding) {
    case 'candidate-better':
      return 'pass';
    case 'stable-better':
      return 'rollback';
    case 'no-difference':
    case 'undecided':
      return 'hold';
  }
}

/** The finding and what it recommends, in a sentence. */
export function recommendation({ finding, why }: AbReading): string {
  return `ab: ${why}; ${ADVICE[finding]}`;
}

const ADVICE: Readonly<Record<AbFinding, string>> = {
  'candidate-better': 'recommended: promote',
  'stable-better': 'recommended: roll back',
  'no-difference': 'promote or roll back is a choice of cost, not of quality',
  undecided: 'nothing is recommended yet',
};

/** What an ab stage has found, and what follows, in sentences. */
import type { AbReading, Look } from '../../evidence/look.js';
import type { Plan } from '../../plan/types.js';

/** What a look of an ab stage has found; looks recorded before there were such stages do not say. */
export function abOf({ ab }: Look): AbReading | null {
  return typeof ab === 'object' ? ab : null;
}

/** The comparison with its numbers, and what would change it; none but for a look of an ab stage. */
export function abSentences(look: Look, plan: Plan): string[] {
  const ab = abOf(look);
  if (ab === null) return [];
  const bound = String(Number((1 / plan.falsePromote).toPrecision(4)));
  const margin =
    ab.logE.inside === null
      ? 'there is no margin yet, so that only a difference or its deadline ends it'
      : '"no difference" follows when the one for none beyond the margin does';
  return [
    `The ab stage compares the variants on ${ab.primary}: ${ab.why}.`,
    `A winner is called when the e-value for a difference reaches ${bound}; ${margin}.`,
  ];
}

/** What follows from the finding by the plan; null but for a look of an ab stage. */
export function abEnd(look: Look, plan: Plan): string | null {
  const ab = abOf(look);
  if (ab === null) return null;
  return `The stage is decided: ${(plan.ab?.winner === 'act' ? ACTS : RECOMMENDS)[ab.finding]}.`;
}

type Ends = Readonly<Record<AbReading['finding'], string>>;

const ACTS: Ends = {
  'candidate-better': 'the candidate is better, and the plan passes the stage',
  'stable-better': 'stable is better, and the plan rolls back',
  'no-difference': 'neither is better, and a person promotes or rolls back by cost',
  undecided: 'nothing follows yet',
};

const RECOMMENDS: Ends = {
  ...ACTS,
  'candidate-better': 'the candidate is better, and a person is recommended to promote',
  'stable-better': 'stable is better, and a person is recommended to roll back',
};

/** A plan of one ab stage, and what the tests of A/B comparisons share. */
import type { AbReading } from '../../../src/evidence/look.js';
import { stageName } from '../../../src/plan/ids.js';
import type { Guardrail, Plan, RateGuardrail } from '../../../src/plan/types.js';
import { fivePlan } from './plan-fixture.js';

export const AB = stageName('ab');
export const ALL = { promoteFromGeneration: 0 };

/** One stage of kind ab, half of the units each. */
export function abPlan(guardrail: Guardrail, others: readonly Guardrail[] = []): Plan {
  const [half] = fivePlan().stages.filter(({ name }) => name === 'canary-50');
  if (!half) throw new Error('the fixture has no canary-50');
  return fivePlan({
    stages: [{ ...half, name: AB, kind: 'ab', onUndecided: 'hold', mixtureShare: 1 }],
    guardrails: [{ ...guardrail, weight: 1 }, ...others],
    ab: { primary: guardrail.name, winner: 'act' },
  });
}

/** The largest count that is still no evidence, at 99 %, of a probability above 5 %. */
export function limit(count: number): number {
  let cumulative = 0;
  let term = 0.95 ** count;
  for (let k = 0; k < count; k++) {
    cumulative += term;
    if (cumulative >= 0.99) return k;
    term *= ((count - k) / (k + 1)) * (0.05 / 0.95);
  }
  return count;
}

export const isDifference = (call: AbReading['finding']): boolean =>
  call === 'candidate-better' || call === 'stable-better';

export function margins(ratio: number): NonNullable<RateGuardrail['promote']> {
  return { ratios: { early: ratio, middle: ratio, late: ratio }, absolute: 0.0001 };
}

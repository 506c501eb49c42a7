/** How the `ab` stages of a plan end: on which guardrail a winner is called, and what follows. */
import { rateSource } from '../statistics/assessment/rate-source.js';
import type { WrittenPlan } from './plan-schema.js';
import type { Problem } from './problem.js';
import { valueProblem } from './problem.js';
import { choices } from './suggestion.js';
import type { AbPlan, Guardrail, GuardrailName, StagePlan } from './types.js';

/** On every plan unless switched off, measured on every request, and the dearest to be wrong about. */
const DEFAULT_PRIMARY: GuardrailName = 'error_rate';

/** Freezes `primary` and `winner`; null for a plan without an `ab` stage, in which they would have no meaning. */
export function freezeAb(
  plan: WrittenPlan,
  stages: readonly StagePlan[],
  guardrails: readonly Guardrail[],
): { readonly ab: AbPlan | null; readonly problems: readonly Problem[] } {
  const abStages = stages.filter(({ kind }) => kind === 'ab');
  if (abStages.length === 0) return { ab: null, problems: idleKeys(plan) };
  const comparable = guardrails.filter((guardrail) => isComparable(guardrail, abStages)).map(({ name }) => name);
  const wanted = plan.primary ?? DEFAULT_PRIMARY;
  const primary = comparable.find((name) => name === wanted);
  if (primary !== undefined) return { ab: { primary, winner: plan.winner ?? 'recommend' }, problems: [] };
  const use =
    comparable.length === 0 ? 'Leave one of error_rate, latency_p50, latency_p95 on' : `Use ${choices(comparable)}`;
  return { ab: null, problems: [valueProblem(['primary'], plan.primary, `${whyNot(wanted, guardrails)}. ${use}`)] };
}

function idleKeys(plan: WrittenPlan): readonly Problem[] {
  return (['primary', 'winner'] as const)
    .filter((key) => plan[key] !== undefined)
    .map((key) =>
      valueProblem(
        [key],
        plan[key],
        'without meaning, since no stage is of kind ab. Leave it out, or write stages: ab',
      ),
    );
}

function whyNot(wanted: string, guardrails: readonly Guardrail[]): string {
  return guardrails.some(({ name }) => name === wanted)
    ? 'a guardrail on which the two variants of an ab stage cannot be compared both ways'
    : `no guardrail of the plan${wanted === DEFAULT_PRIMARY ? `: ${DEFAULT_PRIMARY}, the default, is off` : ''}`;
}

/** Rates, quantiles and ratings have a "better" and a "worse", where both variants are measured alike in each of the stages. */
function isComparable(guardrail: Guardrail, stages: readonly StagePlan[]): boolean {
  switch (guardrail.kind) {
    case 'rate': {
      const source = rateSource(guardrail.name);
      return source !== undefined && stages.every((stage) => source.comparable(stage));
    }
    case 'quantile':
    case 'feedback':
      return true;
    case 'cuts':
    case 'sample-ratio':
      return false;
  }
}

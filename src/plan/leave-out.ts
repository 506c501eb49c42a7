/** A frozen plan without guardrails that cannot be measured where it is to run. */
import { digestOf } from './digest.js';
import { withWeights } from './freeze-guardrails.js';
import type { GuardrailName, Plan } from './types.js';

/**
 * The plan frozen again without these guardrails: weights scaled over the others, another digest. What an `ab` stage
 * decides on stays, and so do they all where no guardrail would be left that rolls back.
 */
export function withoutGuardrails(plan: Plan, names: readonly GuardrailName[]): Plan {
  const left = plan.guardrails.filter(({ name }) => !names.includes(name) || name === plan.ab?.primary);
  if (left.length === plan.guardrails.length || !left.some(({ action }) => action === 'rollback')) return plan;
  const { digest: _, ...frozen } = plan;
  const again = { ...frozen, guardrails: withWeights(left) };
  return { ...again, digest: digestOf(again) };
}

import type { GuardrailAction, Plan } from './types.js';

/** How often the guardrails that share an action may take it by mistake, all of them together. */
export function familyAlpha(plan: Plan, action: GuardrailAction): number {
  switch (action) {
    case 'rollback':
      return plan.falseRollback;
    case 'hold':
      return plan.falseHold;
    case 'flag':
      return plan.falseFlag;
  }
}

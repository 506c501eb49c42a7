import type { GuardrailStatus } from '../../evidence/look.js';
import { familyAlpha } from '../../plan/family-alpha.js';
import type { GuardrailAction, GuardrailName, Plan } from '../../plan/types.js';
import { formatDuration } from '../format.js';

/** What would change a guardrail's verdict, in a sentence. */
export function whatWouldChange(name: GuardrailName, status: GuardrailStatus, plan: Plan): string {
  switch (status.verdict) {
    case 'breached':
      return breached(status.action);
    case 'safe':
      return `It stays safe while this stage's e-value for promotion is at ${bound(plan.falsePromote)} or more; ${breach(name, status.action, plan)}.`;
    case 'undecided':
      return `${toSafe(status, plan)}; ${breach(name, status.action, plan)}.`;
  }
}

function toSafe({ logE, needs, n }: GuardrailStatus, plan: Plan): string {
  if (logE.safe === null) return 'It is no gate and never turns safe';
  if (n.stable === 0 || n.candidate === 0) return 'It turns safe on requests of both variants, and has none of one yet';
  if (needs === null)
    return 'At the rates seen it never turns safe: only better requests of the candidate would change that';
  const time =
    needs.seconds === null ? '' : `, about ${formatDuration(1000 * needs.seconds)} at the traffic of the last minutes`;
  const requests = `${needs.requests.toLocaleString('en-US')} more requests like those so far`;
  return `It turns safe, at an e-value of ${bound(plan.falsePromote)}, after about ${requests}${time}`;
}

function breach(name: GuardrailName, action: GuardrailAction, plan: Plan): string {
  const guardrail = plan.guardrails.find((one) => one.name === name);
  if (guardrail?.kind === 'sample-ratio')
    return `${happens(action)} when its own e-value reaches ${bound(guardrail.alpha)}`;
  return `${happens(action)} when the e-value of all ${action} guardrails together reaches ${bound(familyAlpha(plan, action))}`;
}

function happens(action: GuardrailAction): string {
  switch (action) {
    case 'rollback':
      return 'the rollout goes back';
    case 'hold':
      return 'the rollout holds';
    case 'flag':
      return 'it is flagged';
  }
}

function breached(action: GuardrailAction): string {
  switch (action) {
    case 'rollback':
      return 'Nothing changes it in this rollout: a crossing is final. A new rollout starts without it.';
    case 'hold':
      return 'A crossing is final. A person who resumes the rollout acknowledges it, and it holds no more.';
    case 'flag':
      return 'A crossing is final; it stays flagged and neither holds nor gates.';
  }
}

/** 1/α as people read it. */
function bound(alpha: number): string {
  return String(Number((1 / alpha).toPrecision(4)));
}

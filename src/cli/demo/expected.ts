/** How a rollout of the demo has to end. */
import type { RolloutStatus } from '../../plan/status.js';
import type { GuardrailName } from '../../plan/types.js';

export interface Expected {
  readonly outcome: 'promoted' | 'rolled-back' | 'held';
  /** Who is to blame. */
  readonly guardrail?: GuardrailName;
  readonly stage?: string;
  /** It has to have been flagged on the way. */
  readonly flagged?: GuardrailName;
  /** It must not have breached. */
  readonly quiet?: GuardrailName;
}

/** What a rollout of the demo came to. */
export interface Ending {
  readonly outcome: string;
  readonly stage: string;
  /** To blame, the first to be named first. */
  readonly guardrails: readonly GuardrailName[];
  readonly status: Pick<RolloutStatus, 'guardrails'>;
}

/** True when it ended as it has to. */
export function isAsExpected(expected: Expected, { outcome, stage, guardrails, status }: Ending): boolean {
  const { guardrail, flagged, quiet } = expected;
  return (
    outcome === expected.outcome &&
    (expected.stage === undefined || stage === expected.stage) &&
    (guardrail === undefined || guardrails.includes(guardrail)) &&
    (flagged === undefined || isBreached(status, flagged)) &&
    (quiet === undefined || !isBreached(status, quiet))
  );
}

function isBreached({ guardrails }: Ending['status'], name: GuardrailName): boolean {
  return guardrails[name]?.verdict === 'breached';
}

import type { GuardrailName } from '../src/plan/types.js';
import type { Attempt } from './attempt.js';
import { stop } from './commands.js';
import { record, tell } from './outbox.js';
import { currentStage } from './run.js';
import type { Run } from './run.js';

/**
 * Holds the rollout until a person resumes, promotes or rolls back. What was promoted before is not promoted any more: the
 * person did not know of this.
 */
export function hold(
  run: Run,
  reason: string,
  guardrails: readonly GuardrailName[] = [],
  look: string | null = null,
): void {
  const { state } = run;
  const now = Date.now();
  const before = state.hold;
  state.approval = null;
  state.promoteToEnd = false;
  stop(state, 'held', now);
  const all = [...new Set([...(before?.guardrails ?? []), ...guardrails])];
  if (before !== null && before.reason.includes(reason)) {
    state.hold = { ...before, guardrails: all };
    return;
  }
  state.hold = {
    reason: before === null ? reason : `${before.reason}; ${reason}`,
    since: before?.since ?? now,
    guardrails: all,
  };
  record(run, 'hold', 'sluice', reason, look);
  tell(run, 'held', `${currentStage(state).name} is held: ${reason}. Resume or promote with a reason, or roll back.`);
}

/** Holds when an activity has run out of attempts; whether it had. */
export function holdOnFailure<T>(run: Run, result: Attempt<T>): result is Extract<Attempt<T>, { ok: false }> {
  if (result.ok) return false;
  run.state.failures += 1;
  hold(run, result.why);
  return true;
}

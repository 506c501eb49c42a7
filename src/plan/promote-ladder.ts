/** What the promote margins of all guardrails have in common. */
import type { Path, Problem } from './problem.js';
import type { GuardrailAction, LadderStep } from './types.js';

export const LADDER_STEPS: readonly LadderStep[] = ['early', 'middle', 'late'];

export function perStep(value: (step: LadderStep) => number): Record<LadderStep, number> {
  return { early: value('early'), middle: value('middle'), late: value('late') };
}

/** A margin of a guardrail that never gates would do nothing, and its writer expects that it does. */
export function refuseIdlePromote(
  path: Path,
  action: GuardrailAction,
  written: { readonly promote?: unknown; readonly margin?: unknown },
  problems: Problem[],
): void {
  if (action === 'rollback') return;
  const idle = typeof written.promote === 'object' ? 'promote' : written.margin !== undefined ? 'margin' : null;
  if (idle !== null)
    problems.push({
      path: [...path, idle],
      message: `${path.join('.')}.${idle}: without meaning, since a guardrail with action ${action} never gates. Leave it out, or write action: rollback`,
    });
}

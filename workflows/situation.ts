/** From the state, and what the last round found, to what `decide` looks at. */
import { elapsedMs } from './clock.js';
import type { Situation } from './decide.js';
import { isCurrent, isFresh } from './next-return.js';
import type { Findings } from './observe.js';
import { hasOutsideGates } from './outside-gates.js';
import type { OutsideGates } from './outside-gates.js';
import { currentStage } from './run.js';
import type { Run } from './run.js';

export function situationOf({ state }: Run, found: Findings, ramp: boolean, outside: OutsideGates | null): Situation {
  const stage = currentStage(state);
  const now = Date.now();
  return {
    ...found,
    stage,
    ramp,
    evidence: state.evidence,
    evidenceDetail: state.evidenceDetail,
    look: state.look,
    current: isCurrent(state, now),
    fresh: isFresh(state, now),
    elapsedMs: elapsedMs(state.clock, now),
    deadlineMs: state.deadlineMs ?? stage.durationMs,
    approval: state.approval,
    winner: winnerOf(state),
    heard: state.heard ?? [],
    promoteToEnd: state.promoteToEnd,
    control: state.control,
    guardrails: state.plan.guardrails.map(({ name }) => name),
    known: [...state.acknowledged, ...(state.hold?.guardrails ?? [])],
    flagged: state.flagged,
    outside: hasOutsideGates(stage) ? answersOf(outside) : [],
  };
}

/** Plans frozen before there were ab stages do not say. */
function winnerOf({ plan }: Run['state']): Situation['winner'] {
  return plan.ab?.winner ?? 'recommend';
}

function answersOf(outside: OutsideGates | null): Situation['outside'] {
  if (outside === null) return null;
  if (outside.answer === null)
    return [{ kind: 'check', open: false, why: 'the calendar window and the checks are being asked' }];
  return outside.answer.ok ? outside.answer.value : null;
}

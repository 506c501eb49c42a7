import { isLastStage } from './run.js';
import type { Run } from './run.js';

/** Moves on to the next stage once one has passed; after the last one, or a promotion to the end, what is left is `promote`. */
export function advance({ state }: Run): void {
  if (state.finishing !== null) return;
  const approval = state.approval ?? { by: 'sluice', reason: 'every stage has passed' };
  if (state.promoteToEnd || isLastStage(state)) {
    state.finishing = approval;
    return;
  }
  state.stageIndex += 1;
  state.splitConfirmed = false;
  state.clock = null;
  state.deadlineMs = null;
  state.freshSince = null;
  state.approval = null;
  state.heard = [];
  state.look = null;
  state.lookedAt = 0;
  state.scheduledLooks = 0;
  state.gates = [];
  state.gateTries = 0;
  state.failures = 0;
}

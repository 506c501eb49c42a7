/** Which commands apply where: pure, the same for updates (refused) and signals (ignored, and said so). */
import type { FailureCode } from '../src/plan/failures.js';
import { currentStage } from './run.js';
import type { CommandInput, CommandName, RolloutState } from './state.js';
import { time } from './words.js';

export interface Refusal {
  readonly code: Extract<FailureCode, 'not-applicable' | 'stage-mismatch'>;
  /** Names the stage and the next step. */
  readonly message: string;
}

/** Why a command does not apply now; null when it does. */
export function refusalOf(state: RolloutState, name: CommandName, input: CommandInput): Refusal | null {
  return ended(state, name) ?? rollingBack(state, name) ?? otherStage(state, input) ?? notNow(state, name, input);
}

function ended({ outcome, plan, rollout }: RolloutState, name: CommandName): Refusal | null {
  if (outcome === null) return null;
  const next =
    outcome.state === 'promoted'
      ? `${plan.route} rests on its new upstream; to go back, start a rollout to ${plan.stable}`
      : `${plan.route} rests on ${plan.stable}; start a rollout to try again`;
  return notApplicable(`cannot ${name}: ${rollout} has ended at ${outcome.stage}, ${outcome.state}; ${next}`);
}

function rollingBack(state: RolloutState, name: CommandName): Refusal | null {
  if (state.rollingBack === null) return null;
  const outstanding = state.outstanding.length === 0 ? '' : `; not confirmed yet: ${state.outstanding.join(', ')}`;
  return notApplicable(
    `cannot ${name}: ${state.rollout} is rolling back already, asked by ${state.rollingBack.by} at ${currentStage(state).name}${outstanding}; it ends by itself`,
  );
}

function otherStage(state: RolloutState, { stage }: CommandInput): Refusal | null {
  const current = currentStage(state);
  if (stage === undefined || stage === current.name) return null;
  return {
    code: 'stage-mismatch',
    message: `the rollout is at stage "${current.name}" (${state.stageIndex + 1} of ${state.plan.stages.length}), not "${stage}": look at its status, then send stage "${current.name}"`,
  };
}

function notNow(state: RolloutState, name: CommandName, { to }: CommandInput): Refusal | null {
  const stage = currentStage(state).name;
  switch (name) {
    case 'rollback':
      return null;
    case 'pause':
      if (state.control === 'paused') return notApplicable(`${stage} is paused already${since(state)}; resume goes on`);
      if (state.control === 'held')
        return notApplicable(
          `${stage} is held already: ${state.hold?.reason ?? ''}; resume or promote with a reason, or roll back`,
        );
      return null;
    case 'resume':
      return state.control === 'running' ? notApplicable(`${stage} is running: there is nothing to resume`) : null;
    case 'promote':
      if (state.finishing !== null)
        return notApplicable('the last stage has passed: the route is being moved to its new upstream');
      if (state.kept && to !== 'end')
        return notApplicable(
          `the pipeline keeps ${stage} of ${state.rollout} where it is while another one goes forward`,
        );
      if (state.approval !== null && (to !== 'end' || state.promoteToEnd) && state.control === 'running')
        return notApplicable(
          `promotion of ${stage} was asked by ${state.approval.by} already and waits: ${closedGates(state)}; roll back, pause, or wait`,
        );
      return null;
  }
}

function since({ stoppedSince }: RolloutState): string {
  return stoppedSince === null ? '' : ` since ${time(stoppedSince)}`;
}

/** The gates that still keep a stage where it is. */
export function closedGates({ gates }: RolloutState): string {
  const closed = gates.filter(({ open }) => !open);
  return closed.length === 0
    ? 'its gates are being asked'
    : closed.map(({ kind, why }) => `${kind}: ${why}`).join('; ');
}

function notApplicable(message: string): Refusal {
  return { code: 'not-applicable', message };
}

/** One rollout in one run of a workflow: its state, and what lives only as long as the run. */
import { ApplicationFailure } from '@temporalio/workflow';
import type { StagePlan } from '../src/plan/types.js';
import type { Command, CommandResult, RolloutState } from './state.js';

/** How a command ended: an answer, or words of refusal with a code of the table of failures. */
export type Settlement =
  | { readonly kind: 'taken'; readonly result: CommandResult }
  | { readonly kind: 'refused'; readonly code: string; readonly message: string };

export interface Run {
  readonly state: RolloutState;
  /** Every rollout of the workflow, this one included, in the order in which they were opened. */
  readonly siblings: readonly Run[];
  /** Answers for the handlers that wait for them; shared by the rollouts of one workflow. */
  readonly settlements: Map<Command, Settlement[]>;
  /** Writes to the ledger and to people under way: nothing waits for them but the end of the run. */
  readonly outbox: Set<Promise<void>>;
  /** Whether the namespace has sluice's search attributes: setting one that is not registered stops a workflow. */
  readonly searchAttributes: boolean;
  /** Starts the workflow's next run with this state, and does not return; absent = it is never continued. */
  continueAs?: (state: RolloutState) => Promise<never>;
  /** Search attributes as last set. */
  shown: string;
}

/** @throws ApplicationFailure when the state names a stage that its plan does not have */
export function currentStage(state: RolloutState): StagePlan {
  const stage = state.plan.stages[state.stageIndex];
  if (stage !== undefined) return stage;
  throw ApplicationFailure.nonRetryable(
    `stage ${state.stageIndex} of ${state.rollout} is not in its plan of ${state.plan.stages.length}`,
    'plan-invalid',
  );
}

export function isLastStage(state: RolloutState): boolean {
  return state.stageIndex === state.plan.stages.length - 1;
}

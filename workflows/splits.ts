/** The splits that the pipeline writes. */
import { ApplicationFailure } from '@temporalio/workflow';
import type { UpstreamName } from '../src/plan/ids.js';
import type { Metering, Split } from '../src/plan/split.js';
import type { StagePlan } from '../src/plan/types.js';
import { currentStage } from './run.js';
import type { RolloutState } from './state.js';

/** The split of a stage, leased. */
export function stageSplit(state: RolloutState, generation: number): Split {
  const stage = currentStage(state);
  return {
    generation,
    rollout: state.rollout,
    stage: stage.name,
    weights: stage.weights,
    upstreams: { stable: state.plan.stable, candidate: state.plan.candidate },
    mirror: stage.mirror,
    salt: state.salt,
    lease: state.plan.lease,
    metering: meteringOf(state, stage),
  };
}

/** One upstream, weight 1, no lease: what a route has when no rollout runs. */
export function restingSplit(state: RolloutState, generation: number, upstream: UpstreamName): Split {
  const stage = currentStage(state);
  return {
    generation,
    rollout: state.rollout,
    stage: stage.name,
    weights: { stable: 1, candidate: 0 },
    upstreams: { stable: upstream, candidate: null },
    mirror: { variant: 'candidate', share: 0 },
    salt: state.salt,
    lease: null,
    metering: meteringOf(state, stage),
  };
}

/**
 * What the route rests on after the last stage: the candidate, unless no stage ever gave it a user's request, as in a plan of
 * shadow stages alone.
 */
export function upstreamAtTheEnd(state: RolloutState): UpstreamName {
  const served = state.plan.stages.some((stage) => stage.weights.candidate !== 0);
  return served ? state.plan.candidate : state.plan.stable;
}

function meteringOf(state: RolloutState, stage: StagePlan): Metering {
  const metering = state.metering[stage.name];
  if (metering !== undefined) return metering;
  throw ApplicationFailure.nonRetryable(
    `stage "${stage.name}" of ${state.rollout} has no metering: openRollout must return one for each stage of the plan`,
    'plan-invalid',
  );
}

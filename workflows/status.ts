/** The whole public state of a rollout, for the query `status`, the ledger and the Web UI. */
import type { RolloutStateName, RolloutStatus } from '../src/plan/status.js';
import { currentStage } from './run.js';
import type { RolloutState, StageClock } from './state.js';

export function statusOf(state: RolloutState): RolloutStatus {
  const stage = currentStage(state);
  const { split, plan } = state;
  return {
    route: plan.route,
    rollout: state.rollout,
    state: stateName(state),
    evidence: state.evidence,
    stage: {
      name: stage.name,
      kind: stage.kind,
      index: state.stageIndex,
      share: stage.weights.candidate,
      startedAt: state.clock?.startedAt ?? null,
      endsAt: endsAt(state.clock, stage.durationMs),
    },
    split: {
      generation: split?.generation ?? 0,
      weights: split?.weights ?? { stable: 1, candidate: 0 },
      mirror: split?.mirror ?? { variant: 'candidate', share: 0 },
      upstreams: split?.upstreams ?? { stable: plan.stable, candidate: plan.candidate },
    },
    guardrails: state.look?.guardrails ?? {},
    ...(stage.kind === 'ab' ? { ab: state.look === null ? null : state.look.ab } : {}),
    flags: state.flags,
    hold: state.hold,
    gates: state.gates,
    decisions: state.decisions,
    outstanding: state.outstanding,
    outcome: state.outcome,
  };
}

export function stateName(state: RolloutState): RolloutStateName {
  if (state.outcome !== null) return state.outcome.state;
  if (state.rollingBack !== null) return 'rolling-back';
  return state.control;
}

/** When the stage's own time is over if the clock runs on; null while it stands still. */
function endsAt(clock: StageClock | null, durationMs: number): number | null {
  if (clock === null || clock.runningSince === null) return null;
  return clock.runningSince + (durationMs - clock.elapsedMs);
}

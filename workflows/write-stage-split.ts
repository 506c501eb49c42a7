import { ApplicationFailure } from '@temporalio/workflow';
import { calls } from './activity-proxies.js';
import { attempt } from './attempt.js';
import { startClock } from './clock.js';
import { holdOnFailure } from './hold.js';
import { interruptible } from './interruptible.js';
import { record, tell } from './outbox.js';
import { currentStage } from './run.js';
import type { Run } from './run.js';
import { stageSplit } from './splits.js';
import { percent } from './words.js';

/**
 * Writes the current stage's split under a new generation to every member, and starts the stage's clock once all have
 * confirmed. Writing it again after an outage is the same, but for the clock, which goes on where it stood.
 */
export async function writeStageSplit(run: Run): Promise<void> {
  const { state } = run;
  refuseWhileRollingBack(run);
  const stage = currentStage(state);
  state.generation += 1;
  const split = stageSplit(state, state.generation);
  state.split = split;
  const { members, takeOver } = state;
  const summary = `${stage.name}: ${percent(stage.weights.candidate)} candidate (generation ${split.generation})`;
  const written = await interruptible(run, () =>
    attempt(
      calls(state.taskQueue).setSplit({ route: state.plan.route, split, members, confirm: 'all', takeOver }, summary),
    ),
  );
  if (written === null || holdOnFailure(run, written)) return;
  const now = Date.now();
  state.members = written.value.members;
  state.generation = Math.max(state.generation, written.value.highestGeneration);
  state.splitConfirmed = true;
  state.takeOver = null;
  state.failures = 0;
  state.promoteFromGeneration = split.generation;
  if (state.clock === null) {
    state.clock = startClock(now);
    state.deadlineMs = stage.onUndecided === 'extend' ? stage.maxDurationMs : stage.durationMs;
    record(run, 'start', state.stageIndex === 0 ? state.by : 'sluice', `${summary} is in force`);
    tell(run, state.stageIndex === 0 ? 'started' : 'advanced', `${summary} is in force`);
  } else {
    state.freshSince = now;
    if (state.control === 'running') state.clock = { ...state.clock, runningSince: now };
  }
}

/** A stage that was cancelled must not raise traffic behind the rollback, whatever a pipeline's own code catches. */
export function refuseWhileRollingBack({ state }: Run): void {
  if (state.rollingBack === null && state.outcome === null) return;
  throw ApplicationFailure.nonRetryable(
    `${state.rollout} goes back or has ended: no split is written`,
    'not-applicable',
  );
}

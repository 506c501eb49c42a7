import { ApplicationFailure } from '@temporalio/workflow';
import type { Split } from '../src/plan/split.js';
import { calls } from './activity-proxies.js';
import { attempt } from './attempt.js';
import { resumeClock, startClock } from './clock.js';
import { hold, holdOnFailure } from './hold.js';
import { interruptible } from './interruptible.js';
import { record, tell } from './outbox.js';
import { currentStage } from './run.js';
import type { Run } from './run.js';
import { stageSplit } from './splits.js';
import type { RolloutState } from './state.js';
import { percent } from './words.js';

/** Generations tried above those of somebody else, before a person is asked who that is. */
const TRIES_ABOVE = 5;

/**
 * Writes the current stage's split under a new generation to every member, and starts the stage's clock once all have
 * confirmed. Writing it again after an outage is the same, but for the clock, which goes on where it stood. A command cuts it
 * short; what cannot be confirmed holds the rollout.
 */
export async function writeStageSplit(run: Run): Promise<void> {
  const { state } = run;
  for (let tries = 0; tries < TRIES_ABOVE; tries += 1) {
    refuseWhileRollingBack(run);
    state.generation += 1;
    const split = stageSplit(state, state.generation);
    state.split = split;
    const { members, takeOver } = state;
    const input = { route: state.plan.route, split, members, confirm: 'all', takeOver } as const;
    const summary = summaryOf(split, state);
    const written = await interruptible(run, () => attempt(calls(state.taskQueue).setSplit(input, summary)));
    if (written === null || holdOnFailure(run, written)) return;
    state.members = written.value.members;
    state.generation = Math.max(state.generation, written.value.highestGeneration);
    if (written.value.outstanding.length === 0) {
      confirm(run, split);
      return;
    }
    state.outstanding = written.value.outstanding;
  }
  state.failures += 1;
  hold(
    run,
    `${state.outstanding.join(', ')} went above ${TRIES_ABOVE} generations in a row: find out who else writes splits of ${state.plan.route}`,
  );
}

function confirm(run: Run, split: Split): void {
  const { state } = run;
  const now = Date.now();
  const stage = currentStage(state);
  state.splitConfirmed = true;
  state.outstanding = [];
  state.takeOver = null;
  state.failures = 0;
  state.promoteFromGeneration = split.generation;
  if (state.clock === null) {
    const said = `${summaryOf(split, state)} is in force`;
    state.clock = startClock(now);
    state.deadlineMs = stage.onUndecided === 'extend' ? stage.maxDurationMs : stage.durationMs;
    record(run, 'start', state.stageIndex === 0 ? state.by : 'sluice', said);
    tell(run, state.stageIndex === 0 ? 'started' : 'advanced', said);
    return;
  }
  state.freshSince = now;
  if (state.control === 'running') state.clock = resumeClock(state.clock, now);
}

function summaryOf(split: Split, state: RolloutState): string {
  return `${currentStage(state).name}: ${percent(split.weights.candidate)} candidate (generation ${split.generation})`;
}

/** A stage that was cancelled must not raise traffic behind the rollback, whatever a pipeline's own code catches. */
export function refuseWhileRollingBack({ state }: Run): void {
  if (state.rollingBack === null && state.outcome === null) return;
  throw ApplicationFailure.nonRetryable(
    `${state.rollout} goes back or has ended: no split is written`,
    'not-applicable',
  );
}

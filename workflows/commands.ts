/** The main loop's side of the messages: takes the commands in order, a rollback before all others. */
import type { GuardrailName } from '../src/plan/types.js';
import { elapsedMs, resumeClock, stopClock } from './clock.js';
import { flag, record } from './outbox.js';
import { closedGates, refusalOf } from './refusal.js';
import type { Refusal } from './refusal.js';
import { RollBack } from './roll-back-error.js';
import { currentStage } from './run.js';
import type { Run } from './run.js';
import { stateName } from './status.js';
import type { Command, CommandInput, CommandResult, RolloutState } from './state.js';

/** A stop of more than this makes an increase wait for fresh evidence. */
const LONG_STOP_MS = 86_400_000;
/** Answers kept for updates that are sent again. */
const KEPT_ANSWERS = 32;

/**
 * Takes every command that has come; the state shows them afterwards.
 * @throws RollBack when one of them is a rollback
 */
export function takeCommands(run: Run): void {
  const rollback = queuedRollback(run.state);
  if (rollback !== null) throw RollBack.asked(rollback);
  while (run.state.commands.length > 0) {
    const [command, ...rest] = run.state.commands;
    run.state.commands = rest;
    if (command !== undefined) take(run, command);
  }
}

/** The rollback that has been asked for, if any. */
export function queuedRollback(state: RolloutState): CommandInput | null {
  return state.commands.find(({ name }) => name === 'rollback')?.input ?? null;
}

/** Answers whatever is still in the queue: rollbacks as taken, the rest in words of refusal. */
export function settleRest(run: Run, note: string): void {
  for (const command of run.state.commands) {
    if (command.name === 'rollback') answer(run, command, note);
    else refuse(run, command, { code: 'not-applicable', message: `cannot ${command.name}: ${note}` });
  }
  run.state.commands = [];
}

function take(run: Run, command: Command): void {
  const { state } = run;
  const refusal = refusalOf(state, command.name, command.input);
  if (refusal !== null) {
    refuse(run, command, refusal);
    return;
  }
  const { by, reason } = command.input;
  const stage = currentStage(state).name;
  switch (command.name) {
    case 'rollback':
      throw RollBack.asked(command.input);
    case 'pause':
      stop(state, 'paused', Date.now());
      record(run, 'pause', by, reason);
      answer(run, command, `${stage} is paused: its clock stands still, its guardrails go on`);
      return;
    case 'resume':
      goOn(run, command.input);
      record(run, 'resume', by, reason);
      answer(run, command, `${stage} goes on`);
      return;
    case 'promote':
      if (state.control !== 'running') goOn(run, command.input);
      state.approval = { by, reason };
      state.promoteToEnd = command.input.to === 'end';
      record(run, 'promote', by, reason);
      answer(run, command, promoteNote(state));
      return;
  }
}

function promoteNote(state: RolloutState): string {
  const stage = currentStage(state).name;
  if (state.promoteToEnd) return `the rollout ends at ${stage}: the route moves to ${state.plan.candidate}`;
  if (state.evidence === 'ok') return `${stage} ends as soon as its window and checks allow and evidence is fresh`;
  return `promotion of ${stage} is taken and waits, since there is no evidence (${state.evidence}): ${closedGates(state)}`;
}

/** Stops the stage's clock; the guardrails go on. */
export function stop(state: RolloutState, control: 'paused' | 'held', now: number): void {
  state.control = control;
  state.stoppedSince ??= now;
  if (state.clock !== null) state.clock = stopClock(state.clock, now);
}

/** Ends a pause or hold; the guardrails behind a hold become flags for this rollout. */
function goOn(run: Run, { by, reason }: CommandInput): void {
  const { state } = run;
  const now = Date.now();
  const stage = currentStage(state);
  const acknowledged: readonly GuardrailName[] = state.hold?.guardrails ?? [];
  for (const name of acknowledged) flag(run, `${name} was acknowledged by ${by}: ${reason}`);
  state.acknowledged = [...new Set([...state.acknowledged, ...acknowledged])];
  if (state.stoppedSince !== null && now - state.stoppedSince > LONG_STOP_MS) state.freshSince = now;
  state.control = 'running';
  state.hold = null;
  state.stoppedSince = null;
  state.failures = 0;
  state.gateTries = 0;
  // Before the split is confirmed the stage has not begun again.
  if (state.clock !== null && state.splitConfirmed) state.clock = resumeClock(state.clock, now);
  const elapsed = elapsedMs(state.clock, now);
  // Who resumes an undecided stage gives it as much time again.
  if (state.deadlineMs !== null && elapsed >= state.deadlineMs) state.deadlineMs = elapsed + stage.durationMs;
}

function answer(run: Run, command: Command, note: string): void {
  const { state } = run;
  const result: CommandResult = {
    accepted: true,
    state: stateName(state),
    stage: currentStage(state).name,
    repeated: false,
    note,
  };
  if (command.updateId === null) return;
  state.answered = [...state.answered, { updateId: command.updateId, result }].slice(-KEPT_ANSWERS);
  settle(run, command, { kind: 'taken', result });
}

function refuse(run: Run, command: Command, refusal: Refusal): void {
  if (command.updateId === null)
    flag(run, `signal ${command.name} of ${command.input.by} was ignored: ${refusal.message}`);
  else settle(run, command, { kind: 'refused', ...refusal });
}

function settle(run: Run, command: Command, settlement: Parameters<Run['settlements']['set']>[1][number]): void {
  run.settlements.set(command, [...(run.settlements.get(command) ?? []), settlement]);
}

/** A stage: write its split, watch its evidence, decide, until its gates open. */
import { continueWhenSuggested } from './continue.js';
import { decide } from './decide.js';
import { hold } from './hold.js';
import { AT_ONCE, nextReturn } from './next-return.js';
import { NOTHING_FOUND, observe } from './observe.js';
import { askOutsideGates } from './outside-gates.js';
import type { OutsideGates } from './outside-gates.js';
import { flag, record, tell } from './outbox.js';
import { RollBack } from './roll-back-error.js';
import { currentStage } from './run.js';
import type { Run } from './run.js';
import { show } from './show.js';
import { situationOf } from './situation.js';
import type { Action } from './decide.js';
import { takeCommands } from './commands.js';
import { createCalm, untilWoken, waitBeforeRetry } from './waiting.js';
import { writeStageSplit } from './write-stage-split.js';

/**
 * Runs the current stage until its gates have opened, through pauses, holds and outages. Its split stays in force afterwards.
 * @throws RollBack when a guardrail, a limit or a person asks for it
 */
export async function runStage(run: Run): Promise<void> {
  await watch(run, true, () => false);
}

/**
 * Keeps a rollout where it is, guardrails on, while another one goes forward: for pipelines of several. It may not have begun.
 * @throws RollBack as `runStage` does, and whatever `meanwhile` throws
 */
export async function keepStage(run: Run, meanwhile: () => Promise<void>): Promise<void> {
  const { state } = run;
  let over = false;
  const going = meanwhile().finally(() => {
    over = true;
  });
  state.kept = true;
  try {
    // A promotion to the end has let go of it.
    await Promise.all([going, state.promoteToEnd ? null : watch(run, false, () => over)]);
  } finally {
    state.kept = false;
  }
}

async function watch(run: Run, ramp: boolean, until: () => boolean): Promise<void> {
  const { state } = run;
  const calm = createCalm();
  let found = NOTHING_FOUND;
  let outside: OutsideGates | null = null;
  while (!until()) {
    takeCommands(run);
    show(run);
    if (outside === null) await continueWhenSuggested(run);
    if (state.failures > 0 && state.control === 'held' && (await waitBeforeRetry(run, until))) continue;
    // An increase waits for a person's resume; what was in force before an outage is put back at once.
    if (!state.splitConfirmed && (state.clock !== null || (ramp && state.control === 'running'))) {
      await writeStageSplit(run);
      continue;
    }
    outside = stillCounts(run, outside);
    const action = decide(situationOf(run, found, ramp, outside));
    found = NOTHING_FOUND;
    switch (action.kind) {
      case 'rollback':
        // An ab stage ends by what the collector returns for: its gates have opened, to the one side or the other.
        throw new RollBack('sluice', action.reason, action.guardrails, action.why === 'ab' ? 'promote' : action.why);
      case 'hold':
        if (action.finding !== undefined) state.heard = [...(state.heard ?? []), action.finding];
        hold(run, action.reason, action.guardrails, state.look?.id ?? null);
        continue;
      case 'flag':
        raiseFlag(run, action.reason, action.guardrails);
        continue;
      case 'finish':
      case 'advance':
        pass(run, action.reason);
        return;
      case 'ask-outside':
        outside = askOutsideGates(run);
        continue;
      case 'look':
      case 'wait':
        break;
    }
    showGates(run, action.gates);
    await calm(run);
    const asking = outside?.answer === null ? outside : null;
    const wake = (): boolean => until() || (asking !== null && asking.answer !== null);
    const next = action.kind === 'look' ? AT_ONCE : nextReturn(state, Date.now(), outside?.recheckAt ?? null);
    if (state.split === null) await untilWoken(run, wake);
    else found = await observe(run, state.split, next, wake);
  }
}

/** The answers from outside, unless they have failed or must be asked for again. */
function stillCounts(run: Run, outside: OutsideGates | null): OutsideGates | null {
  if (outside === null || outside.answer === null) return outside;
  if (!outside.answer.ok) {
    run.state.failures += 1;
    hold(run, outside.answer.why);
    return null;
  }
  return outside.recheckAt !== null && Date.now() >= outside.recheckAt ? null : outside;
}

function raiseFlag(run: Run, reason: string, guardrails: Extract<Action, { kind: 'flag' }>['guardrails']): void {
  const { state } = run;
  state.flagged = [...new Set([...state.flagged, ...guardrails])];
  flag(run, reason);
  record(run, 'flag', 'sluice', reason, state.look?.id ?? null);
  tell(run, 'flagged', reason);
}

function pass(run: Run, reason: string): void {
  const { state } = run;
  record(run, 'advance', state.approval?.by ?? 'sluice', reason, state.look?.id ?? null);
}

function showGates(run: Run, gates: Extract<Action, { kind: 'wait' }>['gates']): void {
  const { state } = run;
  const waitedForPerson = onlyPerson(state.gates);
  state.gates = gates;
  if (onlyPerson(gates) && !waitedForPerson)
    tell(
      run,
      'waiting',
      `${currentStage(state).name} has all it needs but a person's word: promote with a reason, or roll back`,
    );
  show(run);
}

function onlyPerson(gates: Extract<Action, { kind: 'wait' }>['gates']): boolean {
  const closed = gates.filter((gate) => !gate.open);
  return closed.length > 0 && closed.every((gate) => gate.kind === 'person');
}

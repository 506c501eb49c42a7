/**
 * Signals, updates and the query. Handlers only append to `state.commands`; an update then waits until the main loop has taken
 * its command. The main loop alone moves traffic.
 */
import {
  ApplicationFailure,
  condition,
  currentUpdateInfo,
  defineQuery,
  defineSignal,
  defineUpdate,
  setHandler,
} from '@temporalio/workflow';
import type { RolloutStatus } from '../src/plan/status.js';
import { fromSignal, fromUpdate } from './command-input.js';
import { refusalOf } from './refusal.js';
import type { Refusal } from './refusal.js';
import type { Run, Settlement } from './run.js';
import { statusOf } from './status.js';
import type { Command, CommandInput, CommandName, CommandResult, RolloutInput, RolloutState } from './state.js';

/** Signals: no answer, and they work while no worker runs. Missing fields get defaults. */
export const signals = {
  pause: defineSignal<[CommandInput?]>('pause'),
  resume: defineSignal<[CommandInput?]>('resume'),
  promote: defineSignal<[CommandInput?]>('promote'),
  rollback: defineSignal<[CommandInput?]>('rollback'),
} as const;

/** Updates of the same names: validated, answered. */
export const updates = {
  pause: defineUpdate<CommandResult, [CommandInput]>('pause'),
  resume: defineUpdate<CommandResult, [CommandInput]>('resume'),
  promote: defineUpdate<CommandResult, [CommandInput]>('promote'),
  rollback: defineUpdate<CommandResult, [CommandInput]>('rollback'),
} as const;

/** The whole public state. */
export const statusQuery = defineQuery<RolloutStatus>('status');

const COMMANDS = ['pause', 'resume', 'promote', 'rollback'] as const satisfies readonly CommandName[];

/** The letter box of one workflow: the rollouts that its messages are for. */
export interface Messages {
  /** In the order in which they were opened; a command goes to each where it applies. */
  readonly runs: Run[];
  /** Commands that came before the first rollout was open. */
  readonly early: Command[];
  readonly settlements: Map<Command, Settlement[]>;
}

/**
 * Registers every handler; call it first, before anything is awaited, since messages may have come already. A rollout that was
 * continued takes its messages from the first one on.
 */
export function listen(input?: RolloutInput): Messages {
  const messages: Messages = { runs: [], early: [], settlements: new Map() };
  if (input?.kind === 'continue') join(messages, input.state, input.searchAttributes);
  for (const name of COMMANDS) {
    setHandler(signals[name], (input?: unknown) => takeSignal(messages, name, fromSignal(input)));
    setHandler(updates[name], (input: unknown) => takeUpdate(messages, name, input), {
      // Not async: the SDK does not await validators.
      validator: (input: unknown) => validate(messages, name, input),
    });
  }
  setHandler(statusQuery, () => status(messages));
  return messages;
}

/** Makes a rollout of a state, and hands it the messages from now on. */
export function join(messages: Messages, state: RolloutState, searchAttributes = false): Run {
  const { runs: siblings, settlements } = messages;
  const run: Run = { state, siblings, settlements, outbox: new Set(), searchAttributes, shown: '' };
  messages.runs.push(run);
  state.commands = [...state.commands, ...messages.early.splice(0)];
  return run;
}

function takeSignal(messages: Messages, name: CommandName, input: CommandInput): void {
  // Whether it applies is judged when it is taken, in order: a resume may follow its pause in the same task.
  deliver(messages, { name, input, updateId: null });
}

async function takeUpdate(messages: Messages, name: CommandName, value: unknown): Promise<CommandResult> {
  const updateId = currentUpdateInfo()?.id ?? null;
  const answered = answerOf(messages.runs, updateId);
  if (answered !== null) return { ...answered, repeated: true };
  const input = inputOf(name, value);
  const command: Command = { name, input, updateId };
  const asked = deliver(messages, command);
  await condition(() => (messages.settlements.get(command)?.length ?? 0) >= asked);
  const settlements = messages.settlements.get(command) ?? [];
  messages.settlements.delete(command);
  const taken = settlements.find((settlement) => settlement.kind === 'taken');
  if (taken !== undefined) return taken.result;
  const refused = settlements.find((settlement) => settlement.kind === 'refused');
  throw ApplicationFailure.nonRetryable(refused?.message ?? `${name} was not taken`, refused?.code ?? 'not-applicable');
}

function validate(messages: Messages, name: CommandName, value: unknown): void {
  if (answerOf(messages.runs, currentUpdateInfo()?.id ?? null) !== null) return;
  const input = inputOf(name, value);
  if (messages.runs.length === 0) {
    if (name === 'rollback') return;
    throw ApplicationFailure.nonRetryable(
      `cannot ${name} yet: the plan is being checked and nothing is written; ask again in a moment, or roll back`,
      'not-applicable',
    );
  }
  const refusal = refusalOfAll(messages.runs, name, input);
  if (refusal !== null) throw ApplicationFailure.nonRetryable(refusal.message, refusal.code);
}

function status({ runs: [first] }: Messages): RolloutStatus {
  if (first !== undefined) return statusOf(first.state);
  throw new Error('the plan is being checked and nothing is written yet: ask again in a moment');
}

function inputOf(name: CommandName, value: unknown): CommandInput {
  const input = fromUpdate(name, value);
  if (typeof input !== 'string') return input;
  throw ApplicationFailure.nonRetryable(input, 'not-applicable');
}

/** A command is refused when it applies to none of the rollouts. */
function refusalOfAll(runs: readonly Run[], name: CommandName, input: CommandInput): Refusal | null {
  const refusals = runs.map(({ state }) => refusalOf(state, name, input));
  return refusals.includes(null) ? null : (refusals[0] ?? null);
}

/** Hands a command to each rollout where it applies, else to the first, which says why not; the number of those asked. */
function deliver({ runs, early }: Messages, command: Command): number {
  if (runs.length === 0) {
    early.push(command);
    return 1;
  }
  const takers = runs.filter(({ state }) => refusalOf(state, command.name, command.input) === null);
  const asked = takers.length === 0 ? runs.slice(0, 1) : takers;
  for (const { state } of asked) state.commands = [...state.commands, command];
  return asked.length;
}

function answerOf(runs: readonly Run[], updateId: string | null): CommandResult | null {
  if (updateId === null) return null;
  return runs.flatMap(({ state }) => state.answered).find((answer) => answer.updateId === updateId)?.result ?? null;
}

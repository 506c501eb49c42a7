/** What `pause`, `resume`, `promote` and `rollback` share: find the stage, ask, send, say what happened. */
import { userInfo } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { InvalidArgumentError, type Command } from 'commander';
import { routeName } from '../plan/ids.js';
import type { RouteName } from '../plan/ids.js';
import { SluiceError } from '../plan/failures.js';
import type { RolloutStatus } from '../plan/status.js';
import type { CommandInput, CommandName, CommandResult } from '../../workflows/state.js';
import { addConnectionFlags, openSession, type ConnectionFlags, type Session } from './session.js';
import { addConfigFlag, type ConfigFlag } from './config-flag.js';
import { wayBack } from './way-back.js';
import type { Io } from './io.js';
import { queryStatus, readStatus } from './read-status.js';
import { sendCommand } from './send-command.js';

interface ControlFlags extends ConnectionFlags, ConfigFlag {
  readonly reason: string;
  readonly stage?: string;
  readonly by?: string;
  readonly toEnd?: true;
  readonly yes?: true;
  readonly json?: true;
}

/** How long a rollback may take to reach every router before the command says that it still goes on. */
const ROLLBACK_WAIT_MS = 60_000;
const POLL_MS = 250;
/** The command says that no worker answers this long after it asked first, the question about the state included. */
const ANSWER_WITHIN_MS = 9_000;
/** What a command is given at least, however slowly the state was read. */
const LEAST_ANSWER_MS = 1_000;

/** Registers one of the four commands; the caller may add flags of its own. */
export function controlCommand(program: Command, io: Io, name: CommandName, description: string): Command {
  const command = program
    .command(name)
    .description(description)
    .argument('<route>', 'route of the rollout', parseRoute)
    .requiredOption('--reason <text>', 'why; kept with the decision')
    .option('--stage <name>', 'only when the rollout is at this stage')
    .option('--by <name>', 'who asks (a claim, shown as one)')
    .option('--yes', 'do not ask')
    .option('--json', 'print one JSON value');
  addConfigFlag(addConnectionFlags(command));
  return command.action(async (route: RouteName, flags: ControlFlags) => {
    const session = await openSession(flags, io);
    try {
      await control(session, io, name, route, flags);
    } finally {
      await session.close();
    }
  });
}

function parseRoute(value: string): RouteName {
  try {
    return routeName(value);
  } catch (error) {
    throw new InvalidArgumentError(error instanceof Error ? error.message : String(error));
  }
}

async function control(
  session: Session,
  io: Io,
  name: CommandName,
  route: RouteName,
  flags: ControlFlags,
): Promise<void> {
  const began = Date.now();
  // A rollback waits for no question. The ledger's last state may be an earlier rollout's: only the workflow's own counts.
  const before = name === 'rollback' ? null : await queryStatus(session, route);
  const withinMs = Math.max(LEAST_ANSWER_MS, ANSWER_WITHIN_MS - (Date.now() - began));
  if (before !== null && before.outcome !== null) throw await ended(name, before, io, flags);
  const stage = flags.stage ?? before?.stage.name;
  if (name === 'promote' && before !== null && !(await agreed(io, before, flags))) {
    throw new SluiceError(
      'not-applicable',
      `nothing was changed: ${route} stays at ${before.stage.name}; --yes promotes without a question`,
    );
  }
  const input: CommandInput = {
    by: flags.by ?? io.env['USER'] ?? userInfo().username,
    reason: flags.reason,
    ...(stage === undefined ? {} : { stage }),
    ...(name === 'promote' ? { to: flags.toEnd === true ? 'end' : 'next' } : {}),
  };
  const answer = await send(session, io, name, route, input, withinMs, flags);
  const after =
    name === 'rollback' ? await untilRolledBack(session, route) : await readStatus(session, io, route, flags);
  if (flags.json === true) io.print(JSON.stringify(after));
  else io.print(sentence(name, route, answer, after));
}

/** Sends the command; when no rollout runs, what the last one's end means for it. */
async function send(
  session: Session,
  io: Io,
  name: CommandName,
  route: RouteName,
  input: CommandInput,
  withinMs: number,
  flags: ControlFlags,
): Promise<CommandResult> {
  try {
    return await sendCommand(session, route, name, input, withinMs);
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    const last = await lastAfter(error, session, io, route, flags);
    throw last === null || last.outcome === null ? error : await ended(name, last, io, flags);
  }
}

/** The rollout that a refusal may be about; null when it is about something else. */
async function lastAfter(
  { code }: SluiceError,
  session: Session,
  io: Io,
  route: RouteName,
  flags: ControlFlags,
): Promise<RolloutStatus | null> {
  if (code === 'rollout-unknown') return readStatus(session, io, route, flags);
  // Between its outcome and its close a workflow still answers, and takes nothing any more.
  return code === 'not-applicable' ? queryStatus(session, route) : null;
}

/** An increase over closed gates is a person's override: it is asked for, and scripts say --yes. */
async function agreed(io: Io, status: RolloutStatus, flags: ControlFlags): Promise<boolean> {
  const closed = status.gates.filter((gate) => !gate.open);
  if (closed.length === 0 || flags.yes === true || !io.interactive) return true;
  io.note(closed.map((gate) => `closed gate ${gate.kind}: ${gate.why}`).join('\n'));
  return io.confirm(`Promote ${status.route} from ${status.stage.name} all the same?`);
}

async function ended(name: CommandName, status: RolloutStatus, io: Io, flags: ControlFlags): Promise<SluiceError> {
  const { outcome } = status;
  const what = `the last rollout of ${status.route} is over (${outcome?.state ?? status.state})`;
  if (name !== 'rollback' || outcome?.state !== 'promoted')
    return new SluiceError('rollout-unknown', `${what}: there is nothing to ${name}; sluice list shows what runs`);
  return new SluiceError(
    'rollout-unknown',
    `${what}; go back with a rollout of its own: ${await wayBack(status, io, flags)}`,
  );
}

/** The state at the rollback's end, or after a minute where it is then; null when nobody answers any more. */
async function untilRolledBack(session: Session, route: RouteName): Promise<RolloutStatus | null> {
  const deadline = Date.now() + ROLLBACK_WAIT_MS;
  for (;;) {
    const status = await queryStatus(session, route);
    if ((status !== null && status.outcome !== null) || Date.now() > deadline) return status;
    await delay(POLL_MS);
  }
}

function sentence(name: CommandName, route: RouteName, answer: CommandResult, after: RolloutStatus | null): string {
  if (name !== 'rollback' || after === null) return `${route}: ${answer.note}`;
  if (after.outcome !== null)
    return `${route} is ${after.outcome.state}: 100% ${after.split.upstreams.stable} on every router`;
  return `${route} rolls back; not confirmed yet: ${after.outstanding.join(', ')}`;
}

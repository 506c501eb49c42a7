import { setTimeout as delay } from 'node:timers/promises';
import { SluiceError } from '../../plan/failures.js';
import { routeName } from '../../plan/ids.js';
import type { RouteName } from '../../plan/ids.js';
import type { RolloutStatus } from '../../plan/status.js';
import { addConfigFlag, type ConfigFlag } from '../config-flag.js';
import { EXIT, exitCodeOf } from '../exit-codes.js';
import type { Io } from '../io.js';
import { listRollouts } from '../list-rollouts.js';
import { parseDurationFlag } from '../duration-flag.js';
import type { Register, Result } from '../program.js';
import { readStatus } from '../read-status.js';
import { addConnectionFlags, openSession, type ConnectionFlags, type Session } from '../session.js';
import { renderStatus } from '../status-view.js';

interface StatusFlags extends ConnectionFlags, ConfigFlag {
  readonly watch?: true;
  readonly json?: true;
  readonly timeout?: number;
}

const REDRAW_MS = 1_000;

/**
 * `sluice status [ROUTE]`: exits 0 promoted or running, 3 rolled back, 4 held, 5 when `--watch --timeout` ran out before the end.
 */
export const registerStatus: Register = (program, io, result) => {
  const command = program
    .command('status')
    .description('Show where a rollout stands, and why.')
    .argument('[route]', 'route; without it, the only rollout there is')
    .option('--watch', 'redraw until the rollout ends')
    .option('--timeout <duration>', 'with --watch: stop after this long (exit 5)', parseDurationFlag)
    .option('--json', 'print one JSON value');
  addConfigFlag(addConnectionFlags(command)).action(async (route: string | undefined, flags: StatusFlags) => {
    const session = await openSession(flags, io);
    try {
      const name = route === undefined ? await onlyRoute(session) : routeName(route);
      await (flags.watch === true ? watch(session, io, result, name, flags) : once(session, io, result, name, flags));
    } finally {
      await session.close();
    }
  });
};

async function onlyRoute(session: Session): Promise<RouteName> {
  const [first, ...others] = await listRollouts(session.client, { all: false });
  if (first === undefined)
    throw new SluiceError(
      'rollout-unknown',
      `no rollout is running on ${session.target}; name a route to see its last one`,
    );
  if (others.length > 0) {
    throw new SluiceError(
      'rollout-unknown',
      `several rollouts are running: name one of ${[first, ...others].map((row) => row.route).join(', ')}`,
    );
  }
  return first.route;
}

async function known(session: Session, io: Io, route: RouteName, flags: StatusFlags): Promise<RolloutStatus> {
  const status = await readStatus(session, io, route, flags);
  if (status !== null) return status;
  throw new SluiceError(
    'rollout-unknown',
    `no rollout of ${route} on ${session.target}, nor in the ledger; start one with sluice start PLAN`,
  );
}

async function once(session: Session, io: Io, result: Result, route: RouteName, flags: StatusFlags): Promise<void> {
  const status = await known(session, io, route, flags);
  io.print(flags.json === true ? JSON.stringify(status) : renderStatus(status, Date.now()));
  result.exitCode = exitCodeOf(status);
}

async function watch(session: Session, io: Io, result: Result, route: RouteName, flags: StatusFlags): Promise<void> {
  const deadline = flags.timeout === undefined ? Infinity : Date.now() + flags.timeout;
  for (;;) {
    const status = await known(session, io, route, flags);
    const over = status.outcome !== null || Date.now() >= deadline;
    if (flags.json !== true) io.redraw(renderStatus(status, Date.now()));
    else if (over) io.print(JSON.stringify(status));
    if (over) {
      result.exitCode = status.outcome === null ? EXIT.timedOut : exitCodeOf(status);
      return;
    }
    await delay(Math.min(REDRAW_MS, Math.max(0, deadline - Date.now())));
  }
}

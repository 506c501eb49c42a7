import { readFileSync } from 'node:fs';
import type { SluiceConfig } from '../../plan/config.js';
import { parseConfigFile } from '../../plan/config-file.js';
import { ledgerFromEnvironment } from '../../ledger/open-ledger.js';
import { describeTarget } from '../../temporal/target.js';
import { TASK_QUEUE } from '../../temporal/task-queue.js';
import { addConfigFlag, requireConfig, type ConfigFlag } from '../config-flag.js';
import type { Io } from '../io.js';
import { ledgerPath } from '../ledger-of.js';
import type { Register } from '../program.js';
import { addConnectionFlags, targetOf, type ConnectionFlags } from '../session.js';
import { reportReady, untilStopped } from '../stack/child-link.js';

interface WorkerFlags extends ConnectionFlags, ConfigFlag {
  readonly fleet?: readonly string[];
  readonly ledger?: string;
  readonly taskQueue: string;
}

/** `sluice worker`: runs rollouts: polls Temporal, moves splits, samples traffic, keeps the ledger. */
export const registerWorker: Register = (program, io) => {
  const command = program
    .command('worker')
    .description('Run a worker: carries out what rollouts decide.')
    .option('--fleet <url...>', 'admin URLs of the routers instead of those in sluice.yaml')
    .option('--ledger <file>', 'SQLite file of the ledger (SLUICE_DATABASE_URL comes first)')
    .option('--task-queue <name>', 'task queue', TASK_QUEUE);
  addConfigFlag(addConnectionFlags(command)).action(async (flags: WorkerFlags) => {
    // Loaded only here: the native core takes a second, which no other command should pay.
    const { runWorker } = await import('../run-worker.js');
    const target = targetOf(flags, io);
    const configured = configReader(flags, io);
    const stopped = untilStopped();
    await runWorker({
      target,
      taskQueue: flags.taskQueue,
      config: configured,
      ledger: await ledgerFromEnvironment(io.env, flags.ledger ?? ledgerPath(io, flags)),
      env: io.env,
      log: logTo(io),
      stopped,
      onReady: (identity) => {
        io.print(`${identity} polls ${flags.taskQueue} at ${describeTarget(target)}`);
        reportReady({ identity });
      },
    });
  });
};

/** Reads `sluice.yaml` again when its text has changed; an invalid change is said and leaves what was valid. */
function configReader(flags: WorkerFlags, io: Io): () => SluiceConfig {
  const first = requireConfig(flags, io);
  let text = readFileSync(first.path, 'utf8');
  let config = withFleet(first.config, flags.fleet);
  return () => {
    try {
      const now = readFileSync(first.path, 'utf8');
      if (now !== text) {
        text = now;
        config = withFleet(parseConfigFile(first.path), flags.fleet);
        io.note(JSON.stringify({ level: 'info', message: `${first.path} was read again` }));
      }
    } catch (error) {
      io.note(
        JSON.stringify({
          level: 'warn',
          message: `${first.path} is not used: ${String(error)}; what was read before stays in force`,
        }),
      );
    }
    return config;
  };
}

function withFleet(config: SluiceConfig, fleet: readonly string[] | undefined): SluiceConfig {
  if (fleet === undefined) return config;
  return { ...config, fleet: fleet.map((admin) => ({ kind: 'address', admin, tokenEnv: config.admin.tokenEnv })) };
}

function logTo(io: Io): {
  info(message: string, attributes?: object): void;
  warn(message: string, attributes?: object): void;
} {
  const write = (level: string, message: string, attributes?: object): void =>
    io.note(JSON.stringify({ at: new Date().toISOString(), level, message, ...attributes }));
  return {
    info: (message, attributes) => write('info', message, attributes),
    warn: (message, attributes) => write('warn', message, attributes),
  };
}

import { SluiceError } from '../../plan/failures.js';
import { parsePlanFile } from '../../plan/plan-file.js';
import { addConfigFlag } from '../config-flag.js';
import { exitCodeOf } from '../exit-codes.js';
import { forecastBeforeStart } from '../forecast/forecast-before-start.js';
import type { ForecastBeforeStartFlags } from '../forecast/forecast-before-start.js';
import type { Register } from '../program.js';
import { parseRate } from '../rate-flag.js';
import { addConnectionFlags, openSession, type ConnectionFlags } from '../session.js';
import { startRollout } from '../start-rollout.js';
import { renderStatus } from '../status-view.js';
import { waitForOutcome } from '../wait-for-outcome.js';

interface StartFlags extends ConnectionFlags, ForecastBeforeStartFlags {
  readonly route?: string;
  readonly candidate?: string;
  readonly preset?: string;
  readonly sameUsers?: true;
  readonly takeOver?: true;
  readonly reason?: string;
  readonly by?: string;
  readonly wait?: true;
  readonly json?: true;
}

/** `sluice start PLAN`: starts a rollout and returns when its first activity has taken the plan; `--wait` stays to its end. */
export const registerStart: Register = (program, io, result) => {
  const command = program
    .command('start')
    .description('Start a rollout by a plan.')
    .argument('[plan]', 'plan file; or --route and --candidate')
    .option('--route <name>', 'instead of a plan file: the route')
    .option('--candidate <name>', 'instead of a plan file: the candidate upstream')
    .option('--preset <name>', 'with --route: five-week, canary or shadow-only')
    .option('--same-users', 'the cohort of the last rollout of this route comes first again')
    .option('--take-over', "replace another rollout's split that is still in force (needs --reason)")
    .option('--reason <text>', 'why, for --take-over')
    .option('--rate <rate>', "the route's traffic, for the forecast (default: as the ledger has it)", parseRate)
    .option('--require-decidable', 'refuse when a stage cannot decide in its time at this traffic')
    .option('--by <name>', 'who starts it (a claim, shown as one)')
    .option('--wait', 'stay until it ends: exit 0 promoted, 3 rolled back')
    .option('--json', 'print one JSON value');
  addConfigFlag(addConnectionFlags(command)).action(async (planPath: string | undefined, flags: StartFlags) => {
    if (flags.takeOver === true && flags.reason === undefined) {
      throw new SluiceError('plan-invalid', '--take-over needs --reason: it ends what another rollout serves');
    }
    const document = planPath === undefined ? fromFlags(flags) : parsePlanFile(planPath);
    const session = await openSession(flags, io);
    try {
      await forecastBeforeStart(io, document.written, flags);
      const started = await startRollout(session, io, document, flags);
      if (flags.json !== true)
        io.print(
          `${started.status.route}: ${started.status.rollout} runs at stage ${started.status.stage.name}; sluice status ${started.status.route} --watch`,
        );
      const status = flags.wait === true ? await waitForOutcome(session, io, started.status, flags) : started.status;
      if (flags.json === true) io.print(JSON.stringify(status));
      else if (flags.wait === true) io.print(renderStatus(status, Date.now()));
      if (flags.wait === true) result.exitCode = exitCodeOf(status);
    } finally {
      await session.close();
    }
  });
};

function fromFlags(flags: StartFlags): { readonly written: unknown } {
  if (flags.route === undefined || flags.candidate === undefined) {
    throw new SluiceError('plan-invalid', 'name a plan file, or --route and --candidate');
  }
  return {
    written: {
      route: flags.route,
      candidate: flags.candidate,
      ...(flags.preset === undefined ? {} : { stages: flags.preset }),
    },
  };
}

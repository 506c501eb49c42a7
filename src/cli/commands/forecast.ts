import { InvalidArgumentError } from 'commander';
import { forecastPlan } from '../../plan/forecast/forecast-plan.js';
import type { Forecast } from '../../plan/forecast/forecast.js';
import { simulatePlan } from '../../plan/forecast/simulation/simulate-plan.js';
import { SluiceError } from '../../plan/failures.js';
import { routeName } from '../../plan/ids.js';
import type { Plan } from '../../plan/types.js';
import { addConfigFlag } from '../config-flag.js';
import type { ConfigFlag } from '../config-flag.js';
import { parseBaselines } from '../forecast/baseline-flag.js';
import { renderForecast } from '../forecast/forecast-view.js';
import type { MeasuredTraffic } from '../forecast/measured-traffic.js';
import { trafficOfFile } from '../forecast/traffic-of-file.js';
import { trafficOfRoute } from '../forecast/traffic-of-route.js';
import type { Io } from '../io.js';
import { openLedgerOf } from '../ledger-of.js';
import { readPlanOffline } from '../offline-plan.js';
import type { Register } from '../program.js';
import { parseRate } from '../rate-flag.js';

interface ForecastFlags extends ConfigFlag {
  readonly rate?: number;
  readonly baseline?: string;
  readonly from?: string;
  /** `true` = the plan's own route. */
  readonly fromRoute?: string | true;
  readonly simulate?: number;
  readonly seed: number;
  readonly all?: true;
  readonly json?: true;
}

const REORDER_MS = 60_000;
const NOTHING: MeasuredTraffic = { requestsPerSecond: null, baselines: {} };

/** `sluice forecast PLAN`: how long each stage takes, what it sees, and what that costs. */
export const registerForecast: Register = (program, io) => {
  const command = program
    .command('forecast')
    .description('Say how long each stage of a plan takes, what it can see and what harm that costs.')
    .argument('<plan>', 'plan file')
    .option('--rate <rate>', 'requests of the route, such as 10/s or 1000000/d', parseRate)
    .option(
      '--baseline <values>',
      'what stable does, such as error_rate=1%,latency_p50=400ms,latency_p95=1.2s,feedback=15%@1%',
    )
    .option('--from <file>', 'measure stable in a log, a line per request as analyze reads it')
    .option('--from-route [route]', "measure stable in the ledger: the route's last rollout")
    .option('--simulate <rollouts>', 'draw so many rollouts and assess them as the pipeline does', parseCount)
    .option('--seed <number>', 'of the simulation', parseCount, 1)
    .option('--all', 'show the guardrails that hold or flag too')
    .option('--json', 'print one JSON value');
  addConfigFlag(command).action(async (planPath: string, flags: ForecastFlags) => {
    const plan = readPlanOffline(planPath);
    const forecast = await forecastOf(plan, flags, io);
    io.print(
      flags.json === true
        ? JSON.stringify(forecast)
        : renderForecast(forecast, flags.all === true ? 'all' : 'rollback'),
    );
  });
};

async function forecastOf(plan: Plan, flags: ForecastFlags, io: Io): Promise<Forecast> {
  const measured = await measuredBy(plan, flags, io);
  const requestsPerSecond = flags.rate ?? measured.requestsPerSecond;
  if (requestsPerSecond === null) {
    throw new SluiceError('plan-invalid', 'how many requests the route gets is not known: say it with --rate 10/s');
  }
  const given = flags.baseline === undefined ? {} : parseBaselines(flags.baseline, plan);
  const input = { requestsPerSecond, baselines: { ...measured.baselines, ...given } };
  const forecast = forecastPlan(plan, input);
  if (flags.simulate === undefined) return forecast;
  const options = { rollouts: flags.simulate, seed: flags.seed, onProgress: progressOf(io) };
  return { ...forecast, simulation: simulatePlan(plan, input, options) };
}

async function measuredBy(plan: Plan, flags: ForecastFlags, io: Io): Promise<MeasuredTraffic> {
  if (flags.from !== undefined && flags.fromRoute !== undefined) {
    throw new SluiceError('plan-invalid', '--from and --from-route both measure stable: leave one out');
  }
  if (flags.from !== undefined) return trafficOfFile(flags.from, plan, REORDER_MS);
  if (flags.fromRoute === undefined) return NOTHING;
  const route = flags.fromRoute === true ? plan.route : routeName(flags.fromRoute);
  const ledger = await openLedgerOf(io, flags);
  try {
    const measured = ledger === null ? null : await trafficOfRoute(ledger, route, plan);
    if (measured !== null) return measured;
  } finally {
    await ledger?.close();
  }
  throw new SluiceError(
    'rollout-unknown',
    `the ledger has no evidence of route ${route}: say what it does with --rate and --baseline`,
  );
}

/** A note each tenth of the way: a simulation takes minutes. */
function progressOf(io: Io): (done: number, all: number) => void {
  let told = 0;
  return (done, all) => {
    const tenths = Math.floor((10 * done) / all);
    if (tenths === told) return;
    told = tenths;
    io.note(`simulated ${String(done)} of ${String(all)} rollouts`);
  };
}

function parseCount(value: string): number {
  const count = Number(value);
  if (!/^\d{1,9}$/.test(value) || count === 0) throw new InvalidArgumentError('not a whole number above 0');
  return count;
}

/** What `start` says before anything moves: the forecast at the route's traffic, and a question where it cannot decide. */
import { SluiceError } from '../../plan/failures.js';
import { forecastPlan, undecidable } from '../../plan/forecast/forecast-plan.js';
import type { Forecast } from '../../plan/forecast/forecast.js';
import type { ConfigFlag } from '../config-flag.js';
import type { Io } from '../io.js';
import { openLedgerOf } from '../ledger-of.js';
import { planOffline } from '../offline-plan.js';
import { briefForecast, undecidedLine } from './forecast-view.js';
import { trafficOfRoute } from './traffic-of-route.js';

export interface ForecastBeforeStartFlags extends ConfigFlag {
  /** Requests a second; without it the ledger's evidence of the route's last rollout tells. */
  readonly rate?: number;
  /** Refuse instead of asking. */
  readonly requireDecidable?: true;
}

/**
 * Notes the forecast of a plan as written and, where a stage cannot decide in its time, asks. Without a person to ask it
 * goes on. A forecast that cannot be made stops nobody, unless it was required.
 * @throws SluiceError `not-applicable` when the person says no, or when a decidable plan was required and it is not
 */
export async function forecastBeforeStart(io: Io, written: unknown, flags: ForecastBeforeStartFlags): Promise<void> {
  const forecast = await forecastOrNote(io, written, flags);
  if (forecast === null) return;
  for (const line of briefForecast(forecast)) io.note(line);
  const undecided = undecidable(forecast).map(({ stage, gates }) => undecidedLine(stage, gates));
  for (const line of undecided) io.note(line);
  if (undecided.length === 0) return;
  if (flags.requireDecidable === true) throw refusal(undecided);
  if (io.interactive && !(await io.confirm('Start all the same?'))) throw refusal(undecided);
}

function refusal(undecided: readonly string[]): SluiceError {
  return new SluiceError(
    'not-applicable',
    `not started: ${undecided.join('; ')}. Give the stage more time, a larger share or wider margins, or leave out --require-decidable`,
  );
}

async function forecastOrNote(io: Io, written: unknown, flags: ForecastBeforeStartFlags): Promise<Forecast | null> {
  try {
    const forecast = await forecastOf(io, written, flags);
    if (forecast !== null) return forecast;
  } catch (error) {
    if (flags.requireDecidable === true) throw error;
    // What is wrong with the plan the start itself says, with all its surroundings.
    if (!(error instanceof SluiceError && error.code === 'plan-invalid')) {
      io.note(`no forecast: ${error instanceof Error ? error.message : String(error)}`);
    }
    return null;
  }
  const unknown =
    'the traffic of the route is not known yet: say --rate 10/s for a forecast of what each stage can decide';
  if (flags.requireDecidable === true) throw new SluiceError('not-applicable', `not started: ${unknown}`);
  io.note(unknown);
  return null;
}

async function forecastOf(io: Io, written: unknown, flags: ForecastBeforeStartFlags): Promise<Forecast | null> {
  const plan = planOffline(written);
  const ledger = await openLedgerOf(io, flags);
  try {
    const measured = ledger === null ? null : await trafficOfRoute(ledger, plan.route, plan);
    const requestsPerSecond = flags.rate ?? measured?.requestsPerSecond ?? null;
    return requestsPerSecond === null
      ? null
      : forecastPlan(plan, { requestsPerSecond, baselines: measured?.baselines ?? {} });
  } finally {
    await ledger?.close();
  }
}

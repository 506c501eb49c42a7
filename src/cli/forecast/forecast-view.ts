/** A forecast for people: a line a stage, and below it what its guardrails see and what that costs. */
import type { Baseline } from '../../plan/forecast/baseline.js';
import type {
  AbForecast,
  AbSight,
  Forecast,
  GateForecast,
  GuardrailForecast,
  SightForecast,
  StageForecast,
} from '../../plan/forecast/forecast.js';
import type { Simulation } from '../../plan/forecast/simulation/simulate-plan.js';
import { colour, formatDuration, formatShare, pad } from '../format.js';

const NAME_WIDTH = 28;
/** What the short form speaks of. */
const BRIEF_RATIO = 1.5;
/** The slowest of them. */
const BRIEF_SIGHTS = 3;
const CELL_WIDTH = 18;

/**
 * Several lines without a newline at the end.
 * @param shown `rollback`: of the guardrails those that roll back; `all`: also those that hold or flag, below them
 */
export function renderForecast(forecast: Forecast, shown: 'rollback' | 'all'): string {
  const others = othersOf(forecast);
  return [
    headline(forecast),
    `  ${assumed(forecast, shown === 'all' ? [] : others)}`,
    ...forecast.stages.flatMap((stage) => ['', ...stageLines(stage, shown)]),
    '',
    colour.dim(
      '  times with a chance of 80%; behind them the extra bad events until then, on average, in brackets when nobody',
    ),
    colour.dim('  waited for these answers; "–" is not within the stage; opens: the gate when nothing changed'),
    ...(shown === 'all' ? [] : hint(others)),
    ...(forecast.simulation === null ? [] : ['', ...simulationLines(forecast.simulation)]),
  ].join('\n');
}

/** Guardrails that never roll back. */
function othersOf({ stages }: Forecast): readonly string[] {
  const others = stages.flatMap(({ guardrails }) =>
    Object.entries(guardrails).flatMap(([name, { action }]) => (action === 'rollback' ? [] : [name])),
  );
  return [...new Set(others)];
}

function hint(others: readonly string[]): readonly string[] {
  if (others.length === 0) return [];
  return [colour.dim(`  not shown without --all, since they hold or flag: ${others.join(', ')}`)];
}

/** One line a stage: when it may be left, and when it sees that a guardrail that rolls back is ×1.5 worse. */
export function briefForecast({ stages }: Forecast): readonly string[] {
  return stages.map((stage) => {
    const sights = Object.entries(stage.guardrails)
      .flatMap(([name, { action, sees }]) => {
        const sight = sees.find(({ ratio }) => ratio === BRIEF_RATIO);
        return action !== 'rollback' || sight === undefined ? [] : [{ name, ...sight }];
      })
      // Two that are never seen stay as they are: Infinity has no difference.
      .toSorted((left, right) =>
        secondsOf(right) > secondsOf(left) ? 1 : secondsOf(right) < secondsOf(left) ? -1 : 0,
      );
    const seen = sights
      .slice(0, BRIEF_SIGHTS)
      .map(({ name, seconds, extraBadEvents, extraBadEventsServed, inTime }) => {
        if (seconds === null || extraBadEvents === null || !inTime) return `${name} not`;
        const extra = Math.round(extraBadEventsServed || extraBadEvents).toLocaleString('en-US');
        const to = extraBadEventsServed === 0 ? ', served to nobody' : '';
        return `${name} after ${about(seconds)} (${extra} extra bad events${to})`;
      });
    const others = sights.length - seen.length;
    if (others > 0) seen.push(`${String(others)} others sooner`);
    const sees = seen.length === 0 ? '' : `; sees ×${String(BRIEF_RATIO)}: ${seen.join(', ')}`;
    return `${stage.stage} ${formatDuration(stage.durationMs)}: ${promotion(stage)}${sees}`;
  });
}

function secondsOf({ seconds, inTime }: SightForecast): number {
  return inTime ? (seconds ?? Infinity) : Infinity;
}

/** What a stage cannot decide in its time, and what happens then. */
export function undecidedLine(
  { stage, deadlineMs, onUndecided }: StageForecast,
  gates: readonly GateForecast[],
): string {
  const needs = gates.map(({ gate, seconds }) => `${gate} needs ${seconds === null ? 'for ever' : about(seconds)}`);
  const then = onUndecided === 'advance' ? 'then it advances undecided' : 'then it holds for a person';
  return `${stage} cannot decide within ${formatDuration(deadlineMs)}: ${needs.join(', ')}; ${then}`;
}

function headline({ route, requestsPerSecond, stages, falseRollback }: Forecast): string {
  const total = stages.reduce((sum, { durationMs }) => sum + durationMs, 0);
  return (
    `${colour.bold(route)} at ${rateText(requestsPerSecond)}: ${formatDuration(total)} in ${String(stages.length)} ` +
    `stages; a candidate that changes nothing is rolled back with a chance of at most ${formatShare(falseRollback)}`
  );
}

function rateText(perSecond: number): string {
  if (perSecond >= 1) return `${String(Number(perSecond.toPrecision(3)))} requests/s`;
  return `${String(Number((perSecond * 3600).toPrecision(3)))} requests/h`;
}

function assumed({ baselines }: Forecast, without: readonly string[]): string {
  const parts = Object.entries(baselines)
    .filter(([name]) => !without.includes(name))
    .map(([name, baseline]) => `${name} ${baselineText(baseline)}`);
  return colour.dim(`stable: ${parts.join(', ')}`);
}

function baselineText(baseline: Baseline): string {
  const value =
    baseline.kind === 'rate'
      ? formatShare(baseline.rate)
      : baseline.spread.kind === 'lognormal'
        ? `log-sd ${String(Number(baseline.spread.logSd.toPrecision(2)))}`
        : 'as measured';
  const share = baseline.share < 1 ? ` of ${formatShare(baseline.share)}` : '';
  const origin = baseline.origin === 'default' ? ' (assumed)' : '';
  return `${value}${share}${origin}`;
}

function stageLines(stage: StageForecast, shown: 'rollback' | 'all'): string[] {
  const { durationMs, gates } = stage;
  const guardrails = shownOf(stage, shown);
  const title = `${colour.bold(stage.stage)} ${formatDuration(durationMs)}: ${promotion(stage)}`;
  if (stage.comparedPerSecond === 0) return [title];
  const shut = gates.filter(({ inTime }) => !inTime);
  const ratios = guardrails[0]?.[1].sees.map(({ ratio }) => `×${String(ratio)}`) ?? [];
  return [
    title,
    colour.dim(
      `  ${pad('', NAME_WIDTH)}${['opens', ...ratios, 'smallest'].map((cell) => pad(cell, CELL_WIDTH)).join('')}`.trimEnd(),
    ),
    ...guardrails.map(([name, guardrail]) => guardrailLine(name, guardrail, gates)),
    ...(shut.length === 0 ? [] : [`  ${colour.yellow(undecidedLine(stage, shut))}`]),
  ];
}

/** Those that roll back first. */
function shownOf(
  { guardrails }: StageForecast,
  shown: 'rollback' | 'all',
): readonly (readonly [string, GuardrailForecast])[] {
  const all = Object.entries(guardrails);
  const rollback = all.filter(([, { action }]) => action === 'rollback');
  return shown === 'rollback' ? rollback : [...rollback, ...all.filter(([, { action }]) => action !== 'rollback')];
}

function promotion({ comparedPerSecond, promote, gates, ab }: StageForecast): string {
  if (comparedPerSecond === 0) return 'nothing is compared';
  if (ab !== null) return callOf(ab);
  if (promote !== null) return `promote after about ${about(promote.seconds)} (${promote.slowest} is the slowest gate)`;
  return gates.length === 0 ? 'no guardrail gates it' : colour.yellow('never enough evidence to promote');
}

/** When an ab stage ends: without a difference, and with one that is worth a call. */
function callOf({ primary, noDifference, apart }: AbForecast): string {
  const within = ({ seconds, inTime }: AbSight): string =>
    seconds === null || !inTime ? 'not in its time' : `after about ${about(seconds)}`;
  const calls = apart.map((one) => `×${String(one.ratio)} ${within(one)}`).join(', ');
  const none =
    noDifference.seconds === null ? 'no margin to show "no difference"' : `no difference ${within(noDifference)}`;
  return `${primary} is called: ${none}; a winner when they are apart ${calls}`;
}

function guardrailLine(
  name: string,
  { action, sees, smallestRatio }: GuardrailForecast,
  gates: readonly GateForecast[],
): string {
  const gate = gates.find((one) => one.gate === name);
  const opens = gate === undefined ? '–' : gate.seconds === null ? 'never' : about(gate.seconds);
  const smallest = smallestRatio === null ? '–' : `×${smallestRatio.toFixed(2)}`;
  const cells = [opens, ...sees.map(sightCell), smallest];
  const label = action === 'rollback' ? name : `${name} (${action})`;
  return `  ${pad(label, NAME_WIDTH)}${cells.map((cell) => pad(cell, CELL_WIDTH)).join('')}`.trimEnd();
}

function sightCell({ seconds, extraBadEvents, extraBadEventsServed, inTime }: SightForecast): string {
  if (!inTime || seconds === null || extraBadEvents === null) return '–';
  // Wrong assignments are no bad events by themselves.
  if (extraBadEvents === 0) return about(seconds);
  const extra = Math.round(extraBadEventsServed || extraBadEvents).toLocaleString('en-US');
  return `${about(seconds)} · ${extraBadEventsServed === 0 ? `(${extra})` : extra}`;
}

/** The largest unit that matters is enough of an answer: `6h`, `2d 3h`, `45s`. */
function about(seconds: number): string {
  return seconds < 1 ? '1s' : formatDuration(seconds * 1000);
}

function simulationLines({ rollouts, seed, unchanged, worse, notSimulated }: Simulation): string[] {
  const count = String(rollouts);
  return [
    `${colour.bold('simulated')} ${count} rollouts of each kind (seed ${String(seed)})`,
    `  nothing changed: ${String(unchanged.rolledBack)} rolled back, a chance of at most ` +
      `${formatShare(unchanged.falseRollbackAtMost)} (95%); ${String(unchanged.held)} held`,
    ...unchanged.stages.map(
      ({ stage, reached, promotable, secondsAt80 }) =>
        `    ${pad(stage, NAME_WIDTH - 2)}evidence to promote in ${String(promotable)} of ${String(reached)}` +
        (secondsAt80 === null ? '' : `, in 80% after ${about(secondsAt80)}`),
    ),
    ...worse.map(({ guardrail, ratio, rolledBack, held, byStage, meanExtraBadEvents }) => {
      const where = byStage.map(({ stage, ended }) => `${String(ended)} in ${stage}`).join(', ');
      const extra = meanExtraBadEvents === null ? '' : `; ${String(Math.round(meanExtraBadEvents))} extra bad events`;
      const holds = held === 0 ? '' : `, ${String(held)} held`;
      return `  ${guardrail} ×${String(ratio)}: ${String(rolledBack)} of ${count} rolled back${holds} (${where || 'none'})${extra}`;
    }),
    ...(notSimulated.length === 0 ? [] : [`  not simulated: ${notSimulated.join(', ')}`]),
  ];
}

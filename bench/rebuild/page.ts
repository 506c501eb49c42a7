import type { Plan } from '../../src/plan/types.js';
import { whole } from '../statistics/report/format.js';
import { goalTable, table } from '../statistics/report/markdown.js';
import type { RunFacts } from '../statistics/report/markdown.js';
import { atMost } from '../statistics/report/section.js';
import type { Goal } from '../statistics/report/section.js';
import type { Looks, Rebuild } from './measure.js';
import { INTERVAL_MS } from './week-plan.js';

export interface Measured {
  readonly plan: Plan;
  readonly intervals: number;
  /** Seconds of filing all records. */
  readonly filling: number;
  readonly rebuilt: Rebuild;
  readonly looks: readonly Looks[];
  readonly ledgerMb: number;
}

export function goalsOf({ rebuilt, looks }: Measured): readonly Goal[] {
  return [
    atMost('cold rebuild of the whole rollout from the ledger, processor time', rebuilt.processor, 60, seconds),
    ...looks.map(({ age, worstProcessorMs }) =>
      atMost(`the dearest look, ${ageOf(age)} old, processor time`, worstProcessorMs, 100, milliseconds),
    ),
  ];
}

/** The whole page. */
export function rebuildPage(facts: Omit<RunFacts, 'effort'>, measured: Measured, goals: readonly Goal[]): string {
  const { plan, intervals, filling, rebuilt, looks, ledgerMb } = measured;
  const parts = [
    '# Evidence: how long a rebuild and a look take',
    'Written by `npm run bench:rebuild`; do not edit.',
    table(
      ['run', ''],
      [
        ['command', `\`${facts.command}\``],
        ['date', facts.date],
        ['machine', facts.machine],
      ],
    ),
    `A stage of seven days, half of the traffic on the candidate: ${whole(intervals)} intervals of ` +
      `${INTERVAL_MS / 1000} s, each with 200 requests that the router's own meter counted, in a ledger of ` +
      `${ledgerMb.toFixed(0)} MB (SQLite, one file; filled in ${seconds(filling)}). ${plan.guardrails.length} guardrails: ` +
      `${plan.guardrails.map(({ name }) => name).join(', ')}.`,
    '## A cold rebuild',
    'A worker that knows nothing reads the rollout from its first record and says the verdicts.',
    table(
      ['part', 'time'],
      [
        ['reading and unpacking records', seconds(rebuilt.reading)],
        ['assessing them', seconds(rebuilt.assessing)],
        ['all', seconds(rebuilt.total)],
        ['processor time of all', seconds(rebuilt.processor)],
        ['peak resident memory, filling included', `${rebuilt.peakMb.toFixed(0)} MB`],
      ],
    ),
    '## A look',
    'One interval more from the ledger and the verdicts of all guardrails, by a worker that has followed the stage.',
    table(
      ['age of the stage', 'median', 'slowest of 200', 'most processor time'],
      looks.map(({ age, medianMs, worstMs, worstProcessorMs }) => [
        ageOf(age),
        milliseconds(medianMs),
        milliseconds(worstMs),
        milliseconds(worstProcessorMs),
      ]),
    ),
    '## Goals',
    goalTable(goals),
  ];
  return `${parts.join('\n\n')}\n`;
}

function ageOf(intervals: number): string {
  const hours = Math.round((intervals * INTERVAL_MS) / 3_600_000);
  if (hours < 24) return hours === 1 ? '1 hour' : `${hours} hours`;
  const days = Math.round(hours / 24);
  return days === 1 ? '1 day' : `${days} days`;
}

function milliseconds(value: number): string {
  return `${value.toFixed(1)} ms`;
}

function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}

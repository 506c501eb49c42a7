import type { Effort } from '../efforts.js';
import { METHODS } from '../methods.js';
import type { MethodName } from '../methods.js';
import { COLOURS } from '../plots/svg.js';
import { lineChart } from '../plots/line-chart.js';
import { percent, rate, stopped } from '../report/format.js';
import { atMost } from '../report/section.js';
import type { Section } from '../report/section.js';
import { upperLimit } from '../sampling/binomial-limit.js';
import { ALPHA, NULL_LOOKS, NULL_SETTINGS } from '../settings.js';
import { simulateNull } from '../simulate-binary.js';
import type { Stops } from '../simulate-binary.js';

/** A run of 10,000 must exclude more than this. */
const UPPER_LIMIT_BAR = 0.056;
const RUNS_FOR_UPPER_LIMIT = 10_000;

const NAMES = Object.values(METHODS);

export interface FalseAlarms {
  readonly section: Section;
  /** Each method's largest share of false rollbacks over the settings. */
  readonly worst: ReadonlyMap<MethodName, number>;
}

/** False rollbacks of a candidate that is as good as stable, looked at after every batch. */
export function falseAlarms(effort: Effort): FalseAlarms {
  const runs = effort.nulls;
  const results = NULL_SETTINGS.map((setting) => ({ setting, stops: simulateNull(setting, runs) }));
  const counts = (name: MethodName): readonly number[] => results.map(({ stops }) => countOf(stops, name));
  const worst = new Map(NAMES.map((name) => [name, Math.max(...counts(name)) / runs] as const));
  const largest = Math.max(...counts(METHODS.sluice));
  const goals = results.map(({ setting, stops }) =>
    atMost(`false rollbacks under peeking: ${setting.name}`, countOf(stops, METHODS.sluice) / runs, ALPHA, percent),
  );
  if (runs >= RUNS_FOR_UPPER_LIMIT) {
    goals.push(atMost('upper limit of the worst of them', upperLimit(largest, runs), UPPER_LIMIT_BAR, percent));
  }
  const section: Section = {
    title: 'False rollbacks under peeking',
    goals,
    blocks: [
      {
        kind: 'text',
        text:
          `The candidate is exactly as good as stable. ${runs.toLocaleString('en-US')} runs each, a look after each of ` +
          `${NULL_LOOKS.toLocaleString('en-US')} batches of 400 requests; the share of runs that were ever rolled back. Every test stands at ` +
          'a one-sided 5 %, except GrowthBook as it ships (two-sided 5 %) and the rules without a level.',
      },
      {
        kind: 'table',
        header: ['rate of bad events', ...NAMES],
        rows: results.map(({ setting, stops }) => [
          setting.name,
          ...NAMES.map((name) => rate(countOf(stops, name), runs)),
        ]),
      },
      plotOf(results[0]?.stops ?? new Map<MethodName, Float64Array>(), runs),
      {
        kind: 'text',
        text:
          '“z-test, one look” looks once, at the end: that is what its 5 % means. The same test looked at after every ' +
          'batch is the column before it. The Argo/Flagger limit has no error rate of its own: it depends on the base rate.',
      },
    ],
  };
  return { section, worst };
}

function countOf(stops: Stops, name: MethodName): number {
  return stopped(stops.get(name) ?? new Float64Array());
}

function plotOf(stops: Stops, runs: number): Section['blocks'][number] {
  const shown = [
    { name: METHODS.peekedZ, colour: COLOURS.red },
    { name: METHODS.failureLimit, colour: COLOURS.pink },
    { name: METHODS.sluice, colour: COLOURS.blue },
    { name: METHODS.growthbook, colour: COLOURS.orange },
    { name: METHODS.kayenta, colour: COLOURS.green },
  ];
  const svg = lineChart({
    title: 'Rolled back although nothing is wrong (1 % errors, share 5 %)',
    xLabel: 'looks, one after each batch of 400 requests',
    yLabel: 'rollouts rolled back so far',
    xTicks: [1, 3, 10, 30, 100, 300, 1000],
    yTicks: [0, 0.1, 0.2, 0.3, 0.4, 0.5],
    logX: true,
    reference: { y: ALPHA, label: 'what 5 % promises' },
    series: shown.map(({ name, colour }) => ({ name, colour, points: cumulative(stops.get(name), runs) })),
    showY: percent,
  });
  return {
    kind: 'plot',
    file: 'peeking.svg',
    alt: 'Share of good rollouts rolled back against the number of looks, by method',
    svg,
  };
}

function cumulative(stops: Float64Array | undefined, runs: number): readonly (readonly [number, number])[] {
  const points: [number, number][] = [[1, 0]];
  const finite = [...(stops ?? [])].filter((look) => look < Infinity).toSorted((left, right) => left - right);
  for (const [index, look] of finite.entries()) {
    if (finite[index + 1] !== look) points.push([look, (index + 1) / runs]);
  }
  return points;
}

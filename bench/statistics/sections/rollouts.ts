import type { Effort } from '../efforts.js';
import { lineChart } from '../plots/line-chart.js';
import { COLOURS } from '../plots/svg.js';
import { median, percent, rate, whole } from '../report/format.js';
import { atLeast, atMost } from '../report/section.js';
import type { Section } from '../report/section.js';
import { Random } from '../sampling/random.js';
import { ALPHA } from '../settings.js';
import { AssessedRollouts } from '../simulate-assessment.js';
import type { Difference } from '../simulate-assessment.js';
import { LOOKS_PER_STAGE, METRICS, RolloutSimulation, STAGE_SHARES, oddsBetween } from '../simulate-rollouts.js';
import type { RolloutOutcome, Truth } from '../simulate-rollouts.js';

interface Scenario {
  readonly name: string;
  readonly truth: Truth;
  readonly isNull: boolean;
}

const BETTER_THEN_WORSE = 'errors halved at 5 and 25 %, 1 % to 1.5 % at 50 %';

const SCENARIOS: readonly Scenario[] = [
  { name: 'every metric exactly at its limit', truth: ({ limit }) => limit, isNull: true },
  { name: 'nothing changed', truth: () => 0, isNull: true },
  { name: 'errors 1 % to 2 % from the start', truth: only('error rate', () => oddsBetween(0.01, 0.02)), isNull: false },
  {
    name: 'slow answers 5 % to 9 % from the start',
    truth: only('latency p95', () => oddsBetween(0.05, 0.09)),
    isNull: false,
  },
  {
    name: 'errors 1 % to 1.5 %, only at 50 %',
    truth: only('error rate', (stage) => (stage === 2 ? oddsBetween(0.01, 0.015) : 0)),
    isNull: false,
  },
  {
    name: BETTER_THEN_WORSE,
    truth: only('error rate', (stage) => oddsBetween(0.01, stage === 2 ? 0.015 : 0.005)),
    isNull: false,
  },
];

const ASSESSED: readonly { readonly name: string; readonly difference: Difference }[] = [
  { name: 'every guardrail exactly at its limit', difference: { errorOdds: 1.05, slowness: 1.2 } },
];

/** Whole rollouts: one error rate over all guardrails, stages and looks. */
export function rollouts(effort: Effort): Section {
  const results = SCENARIOS.map((scenario) => {
    const runs = scenario.isNull ? effort.rollouts : effort.worseRollouts;
    const simulation = new RolloutSimulation(scenario.truth, ALPHA);
    const random = new Random(`rollout ${scenario.name}`);
    return { ...scenario, runs, outcomes: Array.from({ length: runs }, () => simulation.run(random)) };
  });
  const assessed = ASSESSED.map(({ name, difference }) => {
    const rolloutsOf = new AssessedRollouts(difference);
    const random = new Random(`assessed ${name}`);
    const ends = Array.from({ length: effort.assessedRollouts }, () => rolloutsOf.run(random).crossings.rollback);
    return { name, rolledBack: ends.filter((crossing) => crossing !== null).length };
  });
  const betterThenWorse = results.find(({ name }) => name === BETTER_THEN_WORSE)?.outcomes ?? [];
  return {
    title: 'Whole rollouts',
    goals: [
      ...results
        .filter(({ isNull }) => isNull)
        .map(({ name, outcomes, runs }) =>
          atMost(`false rollbacks of whole rollouts: ${name}`, stoppedBy(outcomes, 'mixture') / runs, ALPHA, percent),
        ),
      ...assessed.map(({ name, rolledBack }) =>
        atMost(
          `false rollbacks of whole rollouts, shipped assessment: ${name}`,
          rolledBack / effort.assessedRollouts,
          ALPHA,
          percent,
        ),
      ),
      atLeast(
        'better at 5 and 25 %, worse at 50 %: rolled back',
        stoppedBy(betterThenWorse, 'mixture') / betterThenWorse.length,
        0.99,
        percent,
      ),
    ],
    blocks: [
      {
        kind: 'text',
        text:
          `The seven rollback guardrails of the default plan (${METRICS.map(({ name }) => name).join(', ')}) with its weights, ` +
          `stages of 5, 25 and 50 %, ${STAGE_SHARES.length * LOOKS_PER_STAGE} looks of 400 requests, one α of 5 % for all of it. ` +
          '“One process” is the same family without the restarts at each stage.',
      },
      {
        kind: 'table',
        header: ['truth', 'runs', 'rolled back', 'one process', 'median requests of the candidate', 'one process'],
        rows: results.map(({ name, runs, outcomes, isNull }) => [
          name,
          whole(runs),
          rate(stoppedBy(outcomes, 'mixture'), runs),
          rate(stoppedBy(outcomes, 'continuing'), runs),
          isNull ? '–' : whole(median(outcomes.map(({ mixture }) => mixture))),
          isNull ? '–' : whole(median(outcomes.map(({ continuing }) => continuing))),
        ]),
      },
      plotOf(betterThenWorse),
      {
        kind: 'text',
        text:
          'The same question to the code that runs in production: evidence records interval by interval, the shipped ' +
          'assessment with five guardrails (errors, latency and first token at p50 and p95), five stages from shadow to flip ' +
          'of 60 intervals each, the service’s own latency doubling on the way, a look at every interval end.',
      },
      {
        kind: 'table',
        header: ['truth', 'runs', 'rolled back'],
        rows: assessed.map(({ name, rolledBack }) => [
          name,
          whole(effort.assessedRollouts),
          rate(rolledBack, effort.assessedRollouts),
        ]),
      },
    ],
  };
}

function only(name: string, effect: (stage: number) => number): Truth {
  return (metric, stage) => (metric.name === name ? effect(stage) : 0);
}

function stoppedBy(outcomes: readonly RolloutOutcome[], by: keyof RolloutOutcome): number {
  return outcomes.filter((outcome) => outcome[by] < Infinity).length;
}

function plotOf(outcomes: readonly RolloutOutcome[]): Section['blocks'][number] {
  const curve = (by: keyof RolloutOutcome): readonly (readonly [number, number])[] => {
    const stops = outcomes
      .map((outcome) => outcome[by])
      .filter((requests) => requests < Infinity)
      .toSorted((left, right) => left - right);
    return [[0, 0], ...stops.map((requests, index) => [requests, (index + 1) / outcomes.length] as const)];
  };
  return {
    kind: 'plot',
    file: 'better-then-worse.svg',
    alt: 'Share of rollouts rolled back against requests of the candidate, with and without restarts',
    svg: lineChart({
      title: 'Better at 5 and 25 %, worse at 50 %: found because each stage starts afresh',
      xLabel: 'requests of the candidate since the rollout began',
      yLabel: 'rollouts rolled back so far',
      xTicks: [0, 20_000, 40_000, 60_000, 80_000, 96_000],
      yTicks: [0, 0.25, 0.5, 0.75, 1],
      logX: false,
      marks: [
        { x: 6000, label: '25 %' },
        { x: 36_000, label: '50 %' },
      ],
      series: [
        { name: 'sluice: restarts at each stage', colour: COLOURS.blue, points: curve('mixture') },
        { name: 'one process through all stages', colour: COLOURS.orange, points: curve('continuing') },
      ],
      showX: whole,
      showY: percent,
    }),
  };
}

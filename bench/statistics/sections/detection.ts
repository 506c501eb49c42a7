import type { Effort } from '../efforts.js';
import { METHODS, PEERS } from '../methods.js';
import type { MethodName } from '../methods.js';
import { barChart } from '../plots/bar-chart.js';
import { COLOURS } from '../plots/svg.js';
import { percent, times, whole } from '../report/format.js';
import { atLeast, atMost } from '../report/section.js';
import type { Goal, Section } from '../report/section.js';
import { ALPHA, TRUTH_SETTINGS } from '../settings.js';
import { simulateTruth } from '../simulate-binary.js';
import type { Detection } from '../simulate-binary.js';

/** Multiples of the least possible number of requests that sluice may need, by setting. */
const LARGEST_MULTIPLE: Readonly<Record<string, number>> = {
  '1 % to 2 %, share 5 %': 1.45,
  '1 % to 1.5 %, share 5 %': 1.45,
  '5 % to 6.5 %, share 25 %': 1.45,
  '60 % to 66 %, share 5 %': 1.45,
  '0.1 % to 0.5 %, share 5 %': 1.8,
};
const LARGEST_REQUESTS: Readonly<Record<string, number>> = { '1 % to 20 %, share 5 %': 30 };

/** Multiples of sluice's requests that GrowthBook, as shipped, needs at least. */
const GROWTHBOOK_MULTIPLE: Readonly<Record<string, number>> = {
  '1 % to 2 %, share 5 %': 1.4,
  '1 % to 1.5 %, share 5 %': 1.4,
  '5 % to 6.5 %, share 25 %': 1.4,
  '1 % to 2 %, share 50 %': 2.5,
  '0.1 % to 0.5 %, share 5 %': 2.5,
};

const SHOWN: readonly MethodName[] = [
  METHODS.sluice,
  METHODS.growthbook,
  METHODS.growthbookAbsolute,
  METHODS.growthbookMatched,
  METHODS.kayenta,
  METHODS.failureLimit,
  METHODS.peekedZ,
];

const NEVER = { found: 0, mean: Number.NaN, q80: Infinity };

/** Every setting's detections; the planner is held against them, too. */
export function simulateDetections(effort: Effort): readonly Detection[] {
  return TRUTH_SETTINGS.map((setting) => simulateTruth(setting, effort.truths));
}

/** Requests until a worse candidate is found, and the harm done until then. */
export function detection(
  effort: Effort,
  detections: readonly Detection[],
  worstFalseAlarms: ReadonlyMap<MethodName, number>,
): Section {
  const keeping = PEERS.filter((name) => (worstFalseAlarms.get(name) ?? 1) <= ALPHA);
  return {
    title: 'Requests until a worse candidate is found',
    goals: detections.flatMap((one) => goalsOf(one, keeping)),
    blocks: [
      {
        kind: 'text',
        text:
          `Mean requests of the candidate until it is rolled back, ${whole(effort.truths)} runs each, a look after every ` +
          '20 of them (5 where few suffice); in brackets the multiple of the Kullback–Leibler bound, which no test that keeps ' +
          'its error rate can beat on average. A run that never found it counts with all requests it saw; the share that ' +
          'found it follows where it is below 99 %. All methods ask whether the rate is higher at all.',
      },
      {
        kind: 'table',
        header: ['truth', 'bound', 'z-test, one look', ...SHOWN, 'sluice, 80 % found by'],
        rows: detections.map((one) => [
          one.setting.name,
          whole(one.bound),
          `${whole(one.fixedSample)} (${times(one.fixedSample / one.bound)})`,
          ...SHOWN.map((name) => cellOf(one, name)),
          whole(resultOf(one, METHODS.sluice).q80),
        ]),
      },
      multiplesPlot(detections),
      { kind: 'text', text: `${costOfLooking(detections)} ${aboutPeers(detections, keeping)}` },
      { kind: 'text', text: '### Harm: extra errors until rollback' },
      {
        kind: 'text',
        text:
          'A candidate that fails 2 % of its requests where stable fails 1 %: errors of the candidate beyond stable’s rate ' +
          'until the rollback. The share hardly matters, since the evidence comes from the same errors: a small share means ' +
          'less harm a minute, and more minutes.',
      },
      harmTable(detections),
      harmPlot(detections),
    ],
  };
}

function resultOf(one: Detection, name: MethodName): { found: number; mean: number; q80: number } {
  return one.byMethod.get(name) ?? NEVER;
}

function cellOf(one: Detection, name: MethodName): string {
  const { mean, found } = resultOf(one, name);
  const share = found < 0.99 ? `, ${percent(found)} found` : '';
  return `${found < 0.99 ? '> ' : ''}${whole(mean)} (${times(mean / one.bound)}${share})`;
}

function goalsOf(one: Detection, keeping: readonly MethodName[]): readonly Goal[] {
  const { name } = one.setting;
  const { mean } = resultOf(one, METHODS.sluice);
  const goals: Goal[] = [];
  const multiple = LARGEST_MULTIPLE[name];
  if (multiple !== undefined)
    goals.push(atMost(`requests to detection over the bound: ${name}`, mean / one.bound, multiple, times));
  const requests = LARGEST_REQUESTS[name];
  if (requests !== undefined) goals.push(atMost(`requests to detection: ${name}`, mean, requests, whole));
  const [quickest = METHODS.growthbook] = keeping.toSorted(
    (left, right) => resultOf(one, left).mean - resultOf(one, right).mean,
  );
  const rival = resultOf(one, quickest).mean;
  goals.push({
    claim: `fewer requests than every peer, as shipped, that keeps its error rate: ${name}`,
    reached: whole(mean),
    bar: `< ${whole(rival)} (${quickest})`,
    passed: mean < rival,
  });
  const growthbook = GROWTHBOOK_MULTIPLE[name];
  if (growthbook !== undefined) {
    goals.push(
      atLeast(
        `GrowthBook’s requests over sluice’s: ${name}`,
        resultOf(one, METHODS.growthbook).mean / mean,
        growthbook,
        times,
      ),
    );
  }
  return goals;
}

/** Where the fixed-horizon test has a fair horizon, how much longer sluice takes for the right to look at any time. */
function costOfLooking(detections: readonly Detection[]): string {
  const ratios = detections
    .filter(({ fixedSample }) => fixedSample >= 100)
    .map((one) => resultOf(one, METHODS.sluice).mean / one.fixedSample);
  return (
    '“z-test, one look” is the classical test with 80 % power that may be looked at once, at a size fixed beforehand with ' +
    'the true rates known: what looking at any time costs is the distance between it and sluice, ' +
    `here ${times(Math.min(...ratios))} to ${times(Math.max(...ratios))} its requests on average; ` +
    'in return large effects stop early and none is missed at the horizon.'
  );
}

function aboutPeers(detections: readonly Detection[], keeping: readonly MethodName[]): string {
  const quicker = detections.filter(
    (one) => resultOf(one, METHODS.growthbookMatched).mean < resultOf(one, METHODS.sluice).mean,
  );
  const matched =
    quicker.length === 0
      ? 'With its level matched (two-sided 10 %) GrowthBook needs more requests than sluice in every setting.'
      : `With its level matched (two-sided 10 %, which it does not ship) GrowthBook is quicker than sluice in: ${quicker
          .map(({ setting }) => setting.name)
          .join('; ')}.`;
  return `Peers that kept their error rate in every null setting above: ${keeping.join(', ')}. ${matched}`;
}

function multiplesPlot(detections: readonly Detection[]): Section['blocks'][number] {
  const methods = [
    { name: METHODS.sluice, colour: COLOURS.blue },
    { name: METHODS.growthbook, colour: COLOURS.orange },
    { name: METHODS.growthbookAbsolute, colour: COLOURS.sky },
    { name: METHODS.kayenta, colour: COLOURS.green },
  ];
  return {
    kind: 'plot',
    file: 'detection.svg',
    alt: 'Requests until detection as multiples of the least possible, by setting and method',
    svg: barChart({
      title: 'Requests until detection, over the least that any test needs',
      xLabel: 'multiple of the Kullback–Leibler bound; methods that keep their error rate under peeking',
      ticks: [0, 1, 2, 3, 4, 5, 6],
      series: methods,
      groups: detections.map((one) => ({
        name: one.setting.name,
        values: methods.map(({ name }) => resultOf(one, name).mean / one.bound),
      })),
      show: (value) => (Number.isInteger(value) ? String(value) : value.toFixed(2)),
      reference: { x: 1, label: 'least possible' },
    }),
  };
}

const HARM_METHODS: readonly MethodName[] = [
  METHODS.sluice,
  METHODS.growthbook,
  METHODS.growthbookAbsolute,
  METHODS.kayenta,
];

function doubled(detections: readonly Detection[]): readonly Detection[] {
  return detections.filter(({ setting }) => setting.stableRate === 0.01 && setting.candidateRate === 0.02);
}

function extraErrors(one: Detection, name: MethodName): number {
  return (one.setting.candidateRate - one.setting.stableRate) * resultOf(one, name).mean;
}

function harmTable(detections: readonly Detection[]): Section['blocks'][number] {
  return {
    kind: 'table',
    header: ['share', ...HARM_METHODS, 'requests of both variants, sluice'],
    rows: doubled(detections).map((one) => [
      percent(one.setting.share),
      ...HARM_METHODS.map((name) => whole(extraErrors(one, name))),
      whole(resultOf(one, METHODS.sluice).mean / one.setting.share),
    ]),
  };
}

function harmPlot(detections: readonly Detection[]): Section['blocks'][number] {
  const colours = [COLOURS.blue, COLOURS.orange, COLOURS.sky, COLOURS.green];
  return {
    kind: 'plot',
    file: 'harm.svg',
    alt: 'Extra errors until rollback by share and method',
    svg: barChart({
      title: 'Extra errors until rollback (1 % to 2 %)',
      xLabel: 'errors of the candidate beyond stable’s rate',
      ticks: [0, 20, 40, 60, 80],
      series: HARM_METHODS.map((name, index) => ({ name, colour: colours[index] ?? COLOURS.grey })),
      groups: doubled(detections).map((one) => ({
        name: `share ${percent(one.setting.share)}`,
        values: HARM_METHODS.map((name) => extraErrors(one, name)),
      })),
      show: whole,
    }),
  };
}

import type { Effort } from '../efforts.js';
import { LATENCY_NULLS, LATENCY_NULL_LOOKS, LATENCY_PATIENCE, LATENCY_TRUTHS } from '../latency-settings.js';
import { barChart } from '../plots/bar-chart.js';
import { COLOURS } from '../plots/svg.js';
import { percent, rate, stopped, times, whole } from '../report/format.js';
import { atMost } from '../report/section.js';
import type { Section } from '../report/section.js';
import { ALPHA } from '../settings.js';
import type { DetectionOfMethod } from '../simulate-binary.js';
import { LATENCY_METHODS, latencyBound, latencyDetection, simulateLatency } from '../simulate-latency.js';
import type { LatencyMethod, LatencySetting } from '../simulate-latency.js';

/** Observations of stable that a threshold begins with where there was shadow traffic. */
const SEED = 4000;
const LARGEST_MULTIPLE = 1.75;
const LARGEST_REQUESTS_P95 = 480;

const { sluice, howardRamdas, failureLimit } = LATENCY_METHODS;
const METHODS = [sluice, howardRamdas, failureLimit] as const;
const COLOUR = { [sluice]: COLOURS.blue, [howardRamdas]: COLOURS.orange, [failureLimit]: COLOURS.pink } as const;

export interface LatencyDetection {
  readonly setting: LatencySetting;
  readonly bound: number;
  readonly byMethod: ReadonlyMap<LatencyMethod, DetectionOfMethod>;
}

export function simulateLatencyDetections(effort: Effort): readonly LatencyDetection[] {
  return LATENCY_TRUTHS.map((setting) => {
    const looks = LATENCY_PATIENCE / setting.candidateTrials;
    const stops = simulateLatency(setting, {
      runs: effort.latencyTruths,
      looks,
      seedObservations: SEED,
      methods: METHODS,
    });
    const byMethod = new Map(
      [...stops].map(([method, ofMethod]) => [method, latencyDetection(setting, ofMethod, looks)] as const),
    );
    return { setting, bound: latencyBound(setting), byMethod };
  });
}

/** Latency quantiles against 1.2 times stable's. */
export function latency(effort: Effort, detections: readonly LatencyDetection[]): Section {
  const nulls = LATENCY_NULLS.map((setting) => ({ setting, ...falseAlarmsOf(setting, effort) }));
  return {
    title: 'Latency: quantiles against 1.2 times stable’s',
    goals: [
      ...nulls.map(({ setting, ours }) =>
        atMost(`false rollbacks at the latency limit: ${setting.name}`, ours / effort.latencyNulls, ALPHA, percent),
      ),
      ...detections.map((one) =>
        atMost(
          `requests to detection over the bound: ${one.setting.name}`,
          meanOf(one, sluice) / one.bound,
          LARGEST_MULTIPLE,
          times,
        ),
      ),
      ...detections
        .slice(0, 1)
        .map((one) =>
          atMost(`requests to detection: ${one.setting.name}`, meanOf(one, sluice), LARGEST_REQUESTS_P95, whole),
        ),
    ],
    blocks: [
      {
        kind: 'text',
        text:
          `A candidate exactly at its limit. ${LATENCY_NULL_LOOKS} looks, 20 requests of the candidate between two; ` +
          `${whole(effort.latencyNulls)} runs for sluice and the limit, ${whole(effort.howardRamdasNulls)} for the ` +
          'Howard–Ramdas quantile test (looked at every fifth time). The limit fails a window of 100 requests whose ' +
          'quantile is above 1.2 times stable’s and rolls back at the fourth. “Load” multiplies the latency of both ' +
          'variants; a candidate of another shape has exactly 1.2 times stable’s p95 and another spread.',
      },
      {
        kind: 'table',
        header: ['null', ...METHODS],
        rows: nulls.map(({ setting, ours, theirs, limit }) => [
          setting.name,
          rate(ours, effort.latencyNulls),
          rate(theirs, effort.howardRamdasNulls),
          rate(limit, effort.latencyNulls),
        ]),
      },
      {
        kind: 'text',
        text:
          `A slower candidate: mean requests of the candidate until it is rolled back, ${whole(effort.latencyTruths)} runs, ` +
          'a look after every 20 of them (5 where few suffice); ' +
          `sluice’s threshold begins with ${whole(SEED)} observations of stable, as after a shadow stage.`,
      },
      {
        kind: 'table',
        header: ['truth', 'bound', ...METHODS, 'sluice, 80 % found by'],
        rows: detections.map((one) => [
          one.setting.name,
          whole(one.bound),
          ...METHODS.map((method) => `${whole(meanOf(one, method))} (${times(meanOf(one, method) / one.bound)})`),
          whole(one.byMethod.get(sluice)?.q80 ?? Infinity),
        ]),
      },
      {
        kind: 'plot',
        file: 'latency.svg',
        alt: 'Requests until a slower candidate is found, by setting and method',
        svg: barChart({
          title: 'Requests until a slower candidate is found',
          xLabel:
            'mean requests of the candidate; the Argo/Flagger limit also rolls back every good candidate at the limit',
          ticks: [0, 500, 1000, 1500, 2000],
          series: METHODS.map((name) => ({ name, colour: COLOUR[name] })),
          groups: detections.map((one) => ({
            name: one.setting.name.replace(' with a heavy tail', ', heavy tail'),
            values: METHODS.map((method) => meanOf(one, method)),
          })),
          show: whole,
        }),
      },
    ],
  };
}

function falseAlarmsOf(setting: LatencySetting, effort: Effort) {
  const quick = simulateLatency(setting, {
    runs: effort.latencyNulls,
    looks: LATENCY_NULL_LOOKS,
    seedObservations: 0,
    methods: [sluice, failureLimit],
  });
  const slow = simulateLatency(setting, {
    runs: effort.howardRamdasNulls,
    looks: LATENCY_NULL_LOOKS,
    seedObservations: 0,
    methods: [howardRamdas],
  });
  const count = (stops: typeof quick, method: LatencyMethod): number =>
    stopped(stops.get(method) ?? new Float64Array());
  return { ours: count(quick, sluice), limit: count(quick, failureLimit), theirs: count(slow, howardRamdas) };
}

function meanOf(one: LatencyDetection, method: LatencyMethod): number {
  return one.byMethod.get(method)?.mean ?? Number.NaN;
}

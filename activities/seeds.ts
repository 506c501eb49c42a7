/** What the routers measured of stable before the rollout: latency thresholds stand from the first interval on. */
import type { RouteView } from '../src/backends/traffic-backend.js';
import type { Histogram } from '../src/evidence/record.js';
import type { Guardrail, Plan, QuantileGuardrail } from '../src/plan/types.js';
import { bucketIndex, histogramTotal, quantileIndex } from '../src/statistics/histogram.js';

/** Below this many values a quantile is no threshold (statistics, exceedance method). */
const LEAST_VALUES = 200;

/** One histogram per quantile guardrail, over the last values of all members; empty where nothing was measured. */
export function seedHistograms(
  plan: Pick<Plan, 'guardrails'>,
  views: readonly Pick<RouteView, 'recent'>[],
): Readonly<Record<string, Histogram>> {
  const seeds: Record<string, Histogram> = {};
  for (const guardrail of plan.guardrails.filter(isQuantile)) {
    const { gamma, xMin } = guardrail.histogram;
    const counts: Record<string, number> = {};
    for (const { recent } of views) {
      for (const value of guardrail.signal === 'latency' ? recent.latencyMs : recent.ttftMs) {
        const index = bucketIndex(value, { gamma, smallest: xMin });
        counts[index] = (counts[index] ?? 0) + 1;
      }
    }
    if (Object.keys(counts).length > 0) seeds[guardrail.name] = { gamma, xMin, counts };
  }
  return seeds;
}

/** The bucket of stable's quantile, by guardrail; null where the seed is too small to say. */
export function seedThresholds(
  plan: Pick<Plan, 'guardrails'>,
  seeds: Readonly<Record<string, Histogram>>,
): Readonly<Record<string, number | null>> {
  return Object.fromEntries(
    plan.guardrails.filter(isQuantile).map(({ name, quantile }) => {
      const counts = seeds[name]?.counts ?? {};
      return [name, histogramTotal(counts) < LEAST_VALUES ? null : quantileIndex(counts, quantile)];
    }),
  );
}

function isQuantile(guardrail: Guardrail): guardrail is QuantileGuardrail {
  return guardrail.kind === 'quantile';
}

/** What the routers measured of stable before the rollout: thresholds of values stand from the first interval on. */
import type { RouteView } from '../src/backends/traffic-backend.js';
import type { Histogram } from '../src/evidence/record.js';
import type { CutsGuardrail, Guardrail, Plan, QuantileGuardrail } from '../src/plan/types.js';
import { bucketIndex, histogramTotal, quantileIndex } from '../src/statistics/histogram.js';

/** Below this many values a quantile is no threshold (statistics, exceedance method). */
const LEAST_VALUES = 200;

/** The routers count users at one threshold a guardrail: of several cuts at the lowest, above which most values lie. */
type ComparesValues = QuantileGuardrail | CutsGuardrail;

/** One histogram per guardrail that compares values, over the last values of all members; empty where nothing was measured. */
export function seedHistograms(
  plan: Pick<Plan, 'guardrails'>,
  views: readonly Pick<RouteView, 'recent'>[],
): Readonly<Record<string, Histogram>> {
  const seeds: Record<string, Histogram> = {};
  for (const guardrail of plan.guardrails.filter(comparesValues)) {
    const { gamma, xMin } = guardrail.histogram;
    const counts: Record<string, number> = {};
    for (const { recent } of views) {
      for (const value of valuesOf(guardrail.signal, recent)) {
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
    plan.guardrails.filter(comparesValues).map((guardrail) => {
      const counts = seeds[guardrail.name]?.counts ?? {};
      const tooFew = histogramTotal(counts) < LEAST_VALUES;
      return [guardrail.name, tooFew ? null : quantileIndex(counts, countedAt(guardrail))];
    }),
  );
}

function countedAt(guardrail: ComparesValues): number {
  return guardrail.kind === 'quantile' ? guardrail.quantile : Math.min(...guardrail.quantiles);
}

function valuesOf(signal: ComparesValues['signal'], recent: RouteView['recent']): readonly number[] {
  switch (signal) {
    case 'latency':
      return recent.latencyMs;
    case 'ttft':
      return recent.ttftMs;
    case 'tokens':
      return recent.completionTokens;
  }
}

function comparesValues(guardrail: Guardrail): guardrail is ComparesValues {
  return guardrail.kind === 'quantile' || guardrail.kind === 'cuts';
}

import { erfc } from '../../src/statistics/normal-distribution.js';
import { bucketUpperEdge, gammaForRatio, shiftForRatio } from '../../src/statistics/histogram.js';
import type { Buckets } from '../../src/statistics/histogram.js';
import { AliasTable } from './sampling/alias-table.js';
import type { Random } from './sampling/random.js';

/** The ratio of quantiles that latency guardrails allow. */
export const LIMIT_RATIO = 1.2;
export const LATENCY_BUCKETS: Buckets = { gamma: gammaForRatio(LIMIT_RATIO), smallest: 0.001 };
export const LIMIT_SHIFT = shiftForRatio(LIMIT_RATIO, LATENCY_BUCKETS.gamma);

/** Latencies are drawn on a lattice so much finer than the buckets: 0.23 %. */
const STEPS_PER_BUCKET = 8;
const STEPS = 12_000;
const LATTICE: Buckets = { gamma: LATENCY_BUCKETS.gamma ** (1 / STEPS_PER_BUCKET), smallest: LATENCY_BUCKETS.smallest };

/** A distribution of latencies: P(latency > ms). */
export type Survival = (ms: number) => number;

/** Lognormal with the given median and standard deviation of the logarithm. */
export function lognormal(medianMs: number, logSd: number): Survival {
  return (ms) => erfc(Math.log(ms / medianMs) / logSd / Math.SQRT2) / 2;
}

/** A lognormal body with `tailShare` of Pareto outliers P(latency > ms) = (fromMs / ms)^index. */
export function withParetoTail(body: Survival, tailShare: number, fromMs: number, index: number): Survival {
  return (ms) => (1 - tailShare) * body(ms) + tailShare * Math.min(1, (fromMs / ms) ** index);
}

/** Every latency times `ratio`. */
export function slower(survival: Survival, ratio: number): Survival {
  return (ms) => survival(ms / ratio);
}

/** The latency below which `quantile` of them lie. */
export function quantileOf(survival: Survival, quantile: number): number {
  let low = 1e-3;
  let high = 1e9;
  for (let step = 0; step < 200; step++) {
    const middle = Math.sqrt(low * high);
    if (survival(middle) > 1 - quantile) low = middle;
    else high = middle;
  }
  return high;
}

/** Draws latencies straight into histogram buckets. */
export class LatencySampler {
  private readonly first: number;
  private readonly table: AliasTable;

  constructor(survival: Survival) {
    const weights: number[] = [];
    let first = 0;
    let above = 1;
    for (let step = 0; step < STEPS && above > 0; step++) {
      const beyond = step === STEPS - 1 ? 0 : survival(bucketUpperEdge(step, LATTICE));
      // What is all but impossible below the body would only make the table long.
      if (weights.length > 0 || beyond < 1 - 1e-12) weights.push(Math.max(0, above - beyond));
      else first = step + 1;
      above = beyond;
    }
    this.first = first;
    this.table = new AliasTable(weights);
  }

  /** Counts `requests` latencies by bucket. @param load factor on every latency of now */
  histogram(requests: number, random: Random, load = 1): Record<number, number> {
    const shift = this.first + Math.round(Math.log(load) / Math.log(LATTICE.gamma));
    const counts: Record<number, number> = {};
    for (let request = 0; request < requests; request++) {
      const bucket = Math.max(0, Math.ceil((this.table.sample(random) + shift) / STEPS_PER_BUCKET));
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    return counts;
  }
}

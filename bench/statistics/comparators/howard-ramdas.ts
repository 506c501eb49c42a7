import { forEachBucket } from '../../../src/statistics/histogram.js';
import type { Histogram } from '../../../src/statistics/histogram.js';
import { stirlingRemainder } from '../../../src/statistics/stirling.js';

export interface QuantileTestOptions {
  readonly quantile: number;
  /** The number of observations at which the test is tuned to be tightest. */
  readonly optimalCount: number;
  /** The level at which it is tuned; default 0.05. */
  readonly optimalAlpha?: number;
}

/** A sample of which only ranks matter. */
interface Ranked {
  readonly total: number;
  /** The distinct values. */
  readonly values: Iterable<number>;
  countBelow(x: number, orEqual: boolean): number;
}

/**
 * The two-sided anytime-valid p-value of "both samples have the same quantile" (Howard & Ramdas 2022, Theorem 5).
 *
 * Under the null some x has the given probability below it in both samples, so the product of both samples'
 * beta-binomial mixtures at that x is a martingale; its infimum over x bounds it: p = min(1, exp(−inf_x Σ ln mixture)).
 * Where an x has observations on it, either sample's count below may lie anywhere between "less" and "less or equal".
 */
export function howardRamdasQuantilePValue(
  candidate: readonly number[],
  stable: readonly number[],
  options: QuantileTestOptions,
): number {
  return pValue(new SortedSample(candidate), new SortedSample(stable), options);
}

/**
 * The same for latencies counted by bucket, against "the candidate's quantile is `shift` buckets above stable's": a
 * bucket's latencies count as ties, which can only raise the p-value.
 */
export function howardRamdasHistogramPValue(
  candidate: Histogram,
  stable: Histogram,
  shift: number,
  options: QuantileTestOptions,
): number {
  return pValue(new HistogramSample(candidate, -shift), new HistogramSample(stable, 0), options);
}

function pValue(candidate: Ranked, stable: Ranked, options: QuantileTestOptions): number {
  const samples = [candidate, stable].map((sample) => new SampleMixture(sample, options));
  let lowest = Infinity;
  for (const x of new Set([...candidate.values, ...stable.values])) {
    const logMixture = samples.reduce((sum, sample) => sum + sample.lowestAt(x), 0);
    lowest = Math.min(lowest, logMixture);
  }
  return Math.min(1, Math.exp(-lowest));
}

class SortedSample implements Ranked {
  readonly values: Float64Array;
  readonly total: number;

  constructor(values: readonly number[]) {
    this.values = Float64Array.from(values).toSorted();
    this.total = values.length;
  }

  countBelow(x: number, orEqual: boolean): number {
    return placeOf(this.values, x, orEqual);
  }
}

class HistogramSample implements Ranked {
  readonly values: number[] = [];
  total = 0;
  /** Observations up to and with a bucket, by place in `values`. */
  private readonly cumulative: number[] = [];

  constructor(histogram: Histogram, shift: number) {
    forEachBucket(histogram, (bucket, count) => {
      this.total += count;
      this.values.push(bucket + shift);
      this.cumulative.push(this.total);
    });
  }

  countBelow(x: number, orEqual: boolean): number {
    return this.cumulative[placeOf(this.values, x, orEqual) - 1] ?? 0;
  }
}

/** How many of the ascending `values` are less than x, or less or equal. */
function placeOf(values: ArrayLike<number>, x: number, orEqual: boolean): number {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    const value = values[middle] ?? Infinity;
    if (value < x || (orEqual && value === x)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** One sample's beta-binomial mixture over the probability of lying below x, against that probability being p. */
class SampleMixture {
  private readonly sample: Ranked;
  private readonly quantile: number;
  private readonly priorBelow: number;
  private readonly priorAbove: number;
  /** The (real) count below at which the mixture is least. */
  private readonly leastCount: number;

  constructor(sample: Ranked, options: QuantileTestOptions) {
    const { quantile, optimalCount, optimalAlpha = 0.05 } = options;
    this.sample = sample;
    this.quantile = quantile;
    const binomial = quantile * (1 - quantile);
    const doubled = 2 * Math.log(1 / optimalAlpha);
    const rho = (optimalCount * binomial) / (doubled + Math.log1p(doubled));
    const strength = Math.max(rho - binomial, 1e-3 * binomial);
    this.priorBelow = strength / (1 - quantile);
    this.priorAbove = strength / quantile;
    this.leastCount = this.findLeast();
  }

  lowestAt(x: number): number {
    const less = this.sample.countBelow(x, false);
    const lessOrEqual = this.sample.countBelow(x, true);
    return this.logMixture(Math.min(lessOrEqual, Math.max(less, this.leastCount)));
  }

  private logMixture(below: number): number {
    const above = this.sample.total - below;
    return (
      logBeta(this.priorBelow + below, this.priorAbove + above) -
      logBeta(this.priorBelow, this.priorAbove) -
      below * Math.log(this.quantile) -
      above * Math.log1p(-this.quantile)
    );
  }

  /** Golden section; the mixture is convex in the count. */
  private findLeast(): number {
    const golden = (Math.sqrt(5) - 1) / 2;
    let low = 0;
    let high = this.sample.total;
    for (let step = 0; step < 80; step++) {
      const left = high - golden * (high - low);
      const right = low + golden * (high - low);
      if (this.logMixture(left) < this.logMixture(right)) high = right;
      else low = left;
    }
    return (low + high) / 2;
  }
}

/** ln B(a, b) by Stirling's formula with its remainder; the linear terms cancel. */
function logBeta(a: number, b: number): number {
  const sum = a + b;
  return (
    (a - 0.5) * Math.log(a) +
    (b - 0.5) * Math.log(b) -
    (sum - 0.5) * Math.log(sum) +
    0.5 * Math.log(2 * Math.PI) +
    stirlingRemainder(a) +
    stirlingRemainder(b) -
    stirlingRemainder(sum)
  );
}

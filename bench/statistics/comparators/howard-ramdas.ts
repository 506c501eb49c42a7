import { stirlingRemainder } from '../../../src/statistics/stirling.js';

export interface QuantileTestOptions {
  readonly quantile: number;
  /** The number of observations at which the test is tuned to be tightest. */
  readonly optimalCount: number;
  /** The level at which it is tuned; default 0.05. */
  readonly optimalAlpha?: number;
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
  const samples = [candidate, stable].map((values) => new SampleMixture(values, options));
  let lowest = Infinity;
  for (const x of new Set([...candidate, ...stable])) {
    const logMixture = samples.reduce((sum, sample) => sum + sample.lowestAt(x), 0);
    lowest = Math.min(lowest, logMixture);
  }
  return Math.min(1, Math.exp(-lowest));
}

/** One sample's beta-binomial mixture over the probability of lying below x, against that probability being p. */
class SampleMixture {
  private readonly sorted: Float64Array;
  private readonly quantile: number;
  private readonly priorBelow: number;
  private readonly priorAbove: number;
  /** The (real) count below at which the mixture is least. */
  private readonly leastCount: number;

  constructor(values: readonly number[], options: QuantileTestOptions) {
    const { quantile, optimalCount, optimalAlpha = 0.05 } = options;
    this.sorted = Float64Array.from(values).toSorted();
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
    const less = this.countBelow(x, false);
    const lessOrEqual = this.countBelow(x, true);
    return this.logMixture(Math.min(lessOrEqual, Math.max(less, this.leastCount)));
  }

  private logMixture(below: number): number {
    const above = this.sorted.length - below;
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
    let high = this.sorted.length;
    for (let step = 0; step < 80; step++) {
      const left = high - golden * (high - low);
      const right = low + golden * (high - low);
      if (this.logMixture(left) < this.logMixture(right)) high = right;
      else low = left;
    }
    return (low + high) / 2;
  }

  private countBelow(x: number, orEqual: boolean): number {
    let low = 0;
    let high = this.sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const value = this.sorted[middle] ?? Infinity;
      if (value < x || (orEqual && value === x)) low = middle + 1;
      else high = middle;
    }
    return low;
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

import { requireCount, requirePositive } from './checks.js';
import { StatisticsError } from './errors.js';
import { requireQuantile, sortedBuckets } from './histogram.js';
import type { Histogram } from './histogram.js';

/** Until stable has answered so often there is no threshold, and the metric skips the interval. */
const DEFAULT_MINIMUM_OBSERVATIONS = 200;

/** Far above any latency in buckets of 1.84 %; a larger index is a fault, and memory grows with the largest. */
const LARGEST_INDEX = 1_000_000;

/**
 * A weight below this is forgotten. Beside those of the last interval it is nothing; halved on and on it would end as a
 * number so small that processors compute with it a hundred times more slowly.
 */
const FORGOTTEN = 1e-200;

export interface ThresholdOptions {
  /** The quantile followed, in (0, 1). */
  readonly quantile: number;
  /** Stable observations after which an older one counts half; default 0.7 · 200 / (1 − quantile). */
  readonly halfLife?: number;
  /** Stable observations before there is a threshold; default 200. */
  readonly minimumObservations?: number;
}

/** A tracker's state as plain data: it comes back to the last digit through JSON. */
export interface ThresholdSnapshot {
  readonly observations: number;
  /** Decayed weights by bucket index, sparse. */
  readonly weights: Readonly<Record<string, number>>;
}

/**
 * Follows a quantile of stable's latency, so that each interval has a threshold fixed *before* it (predictable, which is
 * what the exceedance test's validity rests on).
 *
 * An exponentially weighted histogram of the intervals added so far: adding one of n observations multiplies what came
 * before by 2^(−n / halfLife). The threshold is the smallest bucket whose cumulative weight reaches quantile · total.
 * Read `threshold()` for an interval first, then `add` that interval's stable histogram, strictly in order. Seed it from
 * shadow or from stable's recent history by adding those first. Throws on bad counts. Source: method §4.2.
 */
export class ThresholdTracker {
  private readonly quantile: number;
  private readonly halfLife: number;
  private readonly minimumObservations: number;
  private weights = new Float64Array(2048);
  /** The smallest bucket in use, and one past the largest. */
  private first = Infinity;
  private end = 0;
  private observations = 0;

  constructor(options: ThresholdOptions) {
    requireQuantile(options.quantile);
    this.quantile = options.quantile;
    this.halfLife = options.halfLife ?? (0.7 * 200) / (1 - options.quantile);
    this.minimumObservations = options.minimumObservations ?? DEFAULT_MINIMUM_OBSERVATIONS;
    requirePositive(this.halfLife, 'half-life');
    requirePositive(this.minimumObservations, 'minimum observations');
  }

  /** Stable observations so far, none forgotten. */
  get observed(): number {
    return this.observations;
  }

  /** The state, for a checkpoint; `restore` takes it back. */
  snapshot(): ThresholdSnapshot {
    const weights: Record<string, number> = {};
    this.weights.forEach((weight, index) => {
      if (weight !== 0) weights[index] = weight;
    });
    return { observations: this.observations, weights };
  }

  /** Takes the state of a snapshot in place of its own. Throws before it changes anything. */
  restore(snapshot: ThresholdSnapshot): void {
    requireCount(snapshot.observations);
    const entries = Object.entries(snapshot.weights).map(([key, weight]): readonly [number, number] => {
      const index = Number(key);
      requireIndex(index);
      requirePositive(weight, 'weight');
      return [index, weight];
    });
    this.weights = new Float64Array(this.weights.length);
    this.first = Infinity;
    this.end = 0;
    for (const [index] of entries) this.growTo(index);
    for (const [index, weight] of entries) this.weights[index] = weight;
    this.observations = snapshot.observations;
  }

  /** The bucket index of the threshold for the next interval; null until there are enough observations. */
  threshold(): number | null {
    if (this.observations < this.minimumObservations) return null;
    let total = 0;
    for (let index = this.first; index < this.end; index++) total += this.weights[index] ?? 0;
    // The same sum in the same order, so at quantile 1 the last bucket is reached exactly.
    const wanted = this.quantile * total;
    let cumulative = 0;
    for (let index = this.first; index < this.end; index++) {
      const weight = this.weights[index] ?? 0;
      cumulative += weight;
      if (weight > 0 && cumulative >= wanted) return index;
    }
    return null;
  }

  /** Adds stable's histogram of the interval that has just been used. Throws before it changes anything. */
  add(stable: Histogram): void {
    const { indexes, counts, total } = sortedBuckets(stable);
    const smallest = indexes[0];
    const largest = indexes.at(-1);
    if (smallest === undefined || largest === undefined) return;
    requireIndex(largest);
    this.growTo(smallest);
    this.growTo(largest);
    this.decay(2 ** (-total / this.halfLife));
    for (const [position, index] of indexes.entries()) {
      this.weights[index] = (this.weights[index] ?? 0) + (counts[position] ?? 0);
    }
    this.observations += total;
  }

  private decay(factor: number): void {
    for (let index = this.first; index < this.end; index++) {
      const weight = (this.weights[index] ?? 0) * factor;
      this.weights[index] = weight < FORGOTTEN ? 0 : weight;
    }
  }

  private growTo(index: number): void {
    this.first = Math.min(this.first, index);
    this.end = Math.max(this.end, index + 1);
    if (index < this.weights.length) return;
    const grown = new Float64Array(2 * index);
    grown.set(this.weights);
    this.weights = grown;
  }
}

function requireIndex(index: number): void {
  requireCount(index);
  if (index > LARGEST_INDEX) throw new StatisticsError('out-of-range', 'bucket index is out of range');
}

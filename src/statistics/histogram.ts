import { requireCount, requireFinite, requirePositive } from './checks.js';
import { StatisticsError } from './errors.js';

/** Counts by bucket index, sparse; plain data as it travels in evidence records. */
export type Histogram = Readonly<Record<number, number>>;

/** Bucket 0 holds values up to `smallest`, bucket i > 0 the values in (smallest·gamma^(i−1), smallest·gamma^i]. */
export interface Buckets {
  readonly gamma: number;
  readonly smallest: number;
}

/** A value exactly on a bucket's edge belongs below it, whatever the logarithm's last bit says. */
const EDGE_SLACK = 1e-12;

/** How far ln(ratio)/ln(gamma) may be from a whole number. */
const WHOLE_BUCKETS_TOLERANCE = 1e-9;

/** The resolution aimed at: 1.84 % a bucket, 10 buckets for the default latency limit of 1.2. */
const TARGET_LOG_GAMMA = Math.log(1.0184);

/**
 * i = max(0, ⌈ln(value/smallest)/ln gamma − 1e-12⌉): the bucket of a value (DDSketch's layout; Masson et al. 2019).
 *
 * Values and `smallest` share a unit (ms for latencies, tokens for lengths). Throws on a value that is negative, NaN or
 * infinite, and unless gamma > 1 and smallest > 0. Source: method §4.1.
 */
export function bucketIndex(value: number, buckets: Buckets): number {
  requireFinite(value, 'value');
  if (value < 0) throw new StatisticsError('out-of-range', 'value must not be negative');
  requireBuckets(buckets);
  if (value <= buckets.smallest) return 0;
  return Math.max(0, Math.ceil(Math.log(value / buckets.smallest) / Math.log(buckets.gamma) - EDGE_SLACK));
}

/** The largest value that a bucket holds: smallest · gamma^index. Same unit as `smallest`. */
export function bucketUpperEdge(index: number, buckets: Buckets): number {
  requireCount(index);
  requireBuckets(buckets);
  return buckets.smallest * buckets.gamma ** index;
}

/**
 * γ = ratio^(1/m), m = max(1, round(ln ratio / ln 1.0184)): the bucket width under which "times ratio" is exactly m
 * buckets. Throws unless ratio > 1. Source: method §4.1.
 */
export function gammaForRatio(ratio: number): number {
  requireRatioAboveOne(ratio);
  return ratio ** (1 / Math.max(1, Math.round(Math.log(ratio) / TARGET_LOG_GAMMA)));
}

/**
 * ln(ratio)/ln(gamma): by how many buckets a histogram moves when every value is multiplied by `ratio`.
 * Throws `ratio is not a whole number of buckets`, which is an error of the configuration. Source: method §4.1.
 */
export function shiftForRatio(ratio: number, gamma: number): number {
  requirePositive(ratio, 'ratio');
  requireGamma(gamma);
  const exact = Math.log(ratio) / Math.log(gamma);
  const shift = Math.round(exact);
  if (Math.abs(exact - shift) > WHOLE_BUCKETS_TOLERANCE) {
    throw new StatisticsError('ratio-not-whole-buckets', 'ratio is not a whole number of buckets');
  }
  // −0 would be a surprise in a record.
  return shift === 0 ? 0 : shift;
}

/**
 * The smallest bucket whose cumulative count reaches quantile · n: the bucket of the inverted empirical distribution.
 * Throws on an empty histogram, on bad counts, and unless 0 < quantile ≤ 1. Source: method §4.2.
 */
export function quantileIndex(histogram: Histogram, quantile: number): number {
  requireQuantile(quantile);
  const { indexes, counts, total } = sortedBuckets(histogram);
  const wanted = quantile * total;
  let cumulative = 0;
  for (const [position, index] of indexes.entries()) {
    const count = counts[position] ?? 0;
    cumulative += count;
    if (count > 0 && cumulative >= wanted) return index;
  }
  throw new StatisticsError('out-of-range', 'the histogram is empty');
}

/** A histogram's buckets in ascending order of index, one count for each index. */
export interface SortedBuckets {
  readonly indexes: readonly number[];
  readonly counts: readonly number[];
  /** Σ counts. */
  readonly total: number;
}

/** Buckets of histograms that are read again and again; gone with the histogram. */
const kept = new WeakMap<Histogram, SortedBuckets>();

/** The buckets in order. Throws unless indexes and counts are non-negative integers. */
export function sortedBuckets(histogram: Histogram): SortedBuckets {
  return kept.get(histogram) ?? readBuckets(histogram);
}

/**
 * The same, kept as long as the histogram, which must not change from here on: a dozen guardrails read the histograms of
 * each record of a long stage, several times over.
 */
export function keepSortedBuckets(histogram: Histogram): SortedBuckets {
  const known = kept.get(histogram);
  if (known !== undefined) return known;
  const buckets = readBuckets(histogram);
  kept.set(histogram, buckets);
  return buckets;
}

/** A histogram of buckets in ascending order, which are kept. Throws as `sortedBuckets`. */
export function histogramOfBuckets(indexes: readonly number[], counts: readonly number[]): Record<number, number> {
  const histogram: Record<number, number> = {};
  let total = 0;
  let previous = -1;
  for (let position = 0; position < indexes.length; position++) {
    const index = indexes[position] ?? Number.NaN;
    const count = counts[position] ?? Number.NaN;
    requireBucket(index, count, previous);
    previous = index;
    histogram[index] = count;
    total += count;
  }
  kept.set(histogram, { indexes, counts, total });
  return histogram;
}

/** [index, count] in ascending order of index. Throws unless both are non-negative integers. */
export function histogramEntries(histogram: Histogram): readonly (readonly [index: number, count: number])[] {
  const { indexes, counts } = sortedBuckets(histogram);
  return indexes.map((index, position) => [index, counts[position] ?? 0] as const);
}

/**
 * Visits the buckets in ascending order of index.
 * Throws, before any visit, unless indexes and counts are non-negative integers.
 */
export function forEachBucket(histogram: Histogram, visit: (index: number, count: number) => void): void {
  const { indexes, counts } = sortedBuckets(histogram);
  for (let position = 0; position < indexes.length; position++) visit(indexes[position] ?? 0, counts[position] ?? 0);
}

/** Σ counts. Throws on bad counts. */
export function histogramTotal(histogram: Histogram): number {
  return sortedBuckets(histogram).total;
}

function readBuckets(histogram: Histogram): SortedBuckets {
  const indexes: number[] = [];
  const counts: number[] = [];
  let total = 0;
  // The language orders keys that are array indexes ascending; any other key fails the checks.
  let previous = -1;
  for (const key of Object.keys(histogram)) {
    const index = Number(key);
    const count = histogram[index] ?? Number.NaN;
    requireBucket(index, count, previous);
    previous = index;
    indexes.push(index);
    counts.push(count);
    total += count;
  }
  return { indexes, counts, total };
}

function requireBucket(index: number, count: number, previous: number): void {
  requireCount(index);
  requireCount(count);
  if (index <= previous) throw new StatisticsError('out-of-range', 'bucket index is out of range');
}

export function requireQuantile(quantile: number): void {
  requireFinite(quantile, 'quantile');
  if (quantile <= 0 || quantile > 1) throw new StatisticsError('out-of-range', 'quantile must lie in (0, 1]');
}

function requireBuckets(buckets: Buckets): void {
  requireGamma(buckets.gamma);
  requirePositive(buckets.smallest, 'smallest');
}

function requireGamma(gamma: number): void {
  requireFinite(gamma, 'gamma');
  if (gamma <= 1) throw new StatisticsError('out-of-range', 'gamma must exceed 1');
}

function requireRatioAboveOne(ratio: number): void {
  requireFinite(ratio, 'ratio');
  if (ratio <= 1) throw new StatisticsError('out-of-range', 'ratio must exceed 1');
}

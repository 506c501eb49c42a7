import { requireCount, requireSameLength } from './checks.js';
import { StatisticsError } from './errors.js';

/** One variant's trials and bad events in one segment, by hash bucket of the unit (64 buckets). */
export interface BucketCounts {
  readonly trials: readonly number[];
  readonly events: readonly number[];
}

/** Both variants' bucket counts in one segment (stage): a stretch with one split. */
export interface SegmentBuckets {
  readonly candidate: BucketCounts;
  readonly stable: BucketCounts;
}

export interface RateVariance {
  readonly rate: number;
  /** Variance of the rate, estimated from the buckets, so that users' resemblance to themselves is in it. */
  readonly variance: number;
}

/** Fewer candidate events than this and the score variance is noise. */
const MINIMUM_CANDIDATE_EVENTS = 5;

/**
 * p̂ = Σs/Σn and its variance B/(B − 1)·Σ_b (s_b − p̂·n_b)²/n²: the cluster-robust variance of a rate over hash buckets.
 *
 * Throws on bad counts, events above trials and fewer than 2 buckets. Without trials the rate and variance are 0.
 * Source: Rao & Scott 1992; method §8.2.
 */
export function bucketVariance(counts: BucketCounts): RateVariance {
  requireBuckets(counts, counts.trials.length);
  const { trials, rate } = totals(counts);
  if (trials === 0) return { rate: 0, variance: 0 };
  const squares = sum(residuals(counts).map((residual) => residual ** 2));
  return { rate, variance: (bucketFactor(counts.trials.length) * squares) / trials ** 2 };
}

/**
 * One variant's own design effect: how many times larger the variance over buckets is than the binomial one,
 * B/(B − 1)·Σ_b (Σ_g s − p̂_g·n)² / Σ_g n_g·p̂_g·(1 − p̂_g), not below `floor`; over one segment this is
 * [bucket variance]/[p̂(1 − p̂)/n]. 1 when there is nothing to estimate it from. Throws as `bucketVariance`.
 * Source: Rao & Scott 1992; method §8.2.
 */
export function designEffect(segments: readonly BucketCounts[], floor = 1): number {
  const buckets = segments[0]?.trials.length ?? 0;
  const scores = new Float64Array(buckets);
  let variance = 0;
  for (const counts of segments) {
    requireBuckets(counts, buckets);
    addScaled(scores, residuals(counts), 1);
    variance += binomialVariance(counts);
  }
  return ratioOfVariances(scores, variance, floor);
}

/**
 * The design effect of the comparison itself: Σ_b u_b²·B/(B − 1) over its binomial variance v, not below `floor`, with
 * u_b = Σ_g (1 − w_g)·(s − p̂·n of the candidate) − w_g·(s − p̂·n of stable) and w_g the candidate's share of trials.
 *
 * Summing a bucket's score over segments before squaring is what sees users whom the ramp moved from one variant to the
 * other. `segments` are those that the profile covers (from the restart to now); every ℓ of that span is divided by it.
 * 1 when v = 0. Throws on bad counts, events above trials, unequal numbers of buckets and fewer than 2.
 * Source: method §8.2.
 */
export function scoreDesignEffect(segments: readonly SegmentBuckets[], floor = 1): number {
  const buckets = segments[0]?.candidate.trials.length ?? 0;
  const scores = new Float64Array(buckets);
  let variance = 0;
  for (const { candidate, stable } of segments) {
    requireBuckets(candidate, buckets);
    requireBuckets(stable, buckets);
    const candidateTrials = sum(candidate.trials);
    const stableTrials = sum(stable.trials);
    if (candidateTrials === 0 || stableTrials === 0) continue;
    const share = candidateTrials / (candidateTrials + stableTrials);
    addScaled(scores, residuals(candidate), 1 - share);
    addScaled(scores, residuals(stable), -share);
    variance += (1 - share) ** 2 * binomialVariance(candidate) + share ** 2 * binomialVariance(stable);
  }
  return ratioOfVariances(scores, variance, floor);
}

/**
 * The design effect to divide a profile by: `scoreDesignEffect`, or stable's own while the candidate has fewer than 5
 * events in the first of the segments. Approximate, never below 1. Throws as these do. Source: method §8.2.
 */
export function stickyDesignEffect(segments: readonly SegmentBuckets[]): number {
  const [first] = segments;
  if (first === undefined) return 1;
  return sum(first.candidate.events) < MINIMUM_CANDIDATE_EVENTS
    ? designEffect(segments.map(({ stable }) => stable))
    : scoreDesignEffect(segments);
}

function ratioOfVariances(scores: Float64Array, variance: number, floor: number): number {
  if (variance === 0) return 1;
  const squares = scores.reduce((total, score) => total + score ** 2, 0);
  return Math.max(floor, (bucketFactor(scores.length) * squares) / variance);
}

function residuals(counts: BucketCounts): readonly number[] {
  const { rate } = totals(counts);
  return counts.trials.map((trials, bucket) => (counts.events[bucket] ?? 0) - rate * trials);
}

function binomialVariance(counts: BucketCounts): number {
  const { trials, rate } = totals(counts);
  return trials * rate * (1 - rate);
}

function totals(counts: BucketCounts): { readonly trials: number; readonly rate: number } {
  const trials = sum(counts.trials);
  return { trials, rate: trials === 0 ? 0 : sum(counts.events) / trials };
}

function addScaled(target: Float64Array, values: readonly number[], scale: number): void {
  for (const [index, value] of values.entries()) target[index] = (target[index] ?? 0) + scale * value;
}

function bucketFactor(buckets: number): number {
  return buckets / (buckets - 1);
}

function requireBuckets(counts: BucketCounts, buckets: number): void {
  requireSameLength(counts.trials.length, buckets, 'buckets');
  requireSameLength(counts.events.length, buckets, 'buckets');
  if (buckets < 2) throw new StatisticsError('out-of-range', 'a design effect needs at least 2 buckets');
  for (const [bucket, trials] of counts.trials.entries()) {
    const events = counts.events[bucket] ?? Number.NaN;
    requireCount(trials);
    requireCount(events);
    if (events > trials) throw new StatisticsError('events-exceed-trials', 'events exceed trials');
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

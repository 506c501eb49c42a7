import { requireCount, requireSameLength } from './checks.js';
import { StatisticsError } from './errors.js';

/** One variant's trials and bad events in one segment, by hash bucket of the unit (64 buckets). */
export interface BucketCounts {
  readonly trials: ArrayLike<number>;
  readonly events: ArrayLike<number>;
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

/** One segment's part of a design effect; parts of segments add up (`DesignEffectSum`). */
export interface ScorePart {
  /** u_b: by how many events each bucket is off what its trials would have at the common rate. */
  readonly scores: readonly number[];
  /** v: the variance of Σ_b u_b if requests were independent. */
  readonly variance: number;
}

/** Fewer candidate events than this and the score variance is noise. */
export const MINIMUM_CANDIDATE_EVENTS = 5;

/**
 * p̂ = Σs/Σn and its variance B/(B − 1)·Σ_b (s_b − p̂·n_b)²/n²: the cluster-robust variance of a rate over hash buckets.
 *
 * Throws on bad counts, events above trials and fewer than 2 buckets. Without trials the rate and variance are 0.
 * Source: Rao & Scott 1992; method §8.2.
 */
export function bucketVariance(counts: BucketCounts): RateVariance {
  const { scores } = variantScore(counts);
  const { trials, rate } = checkedTotals(counts, scores.length);
  if (trials === 0) return { rate: 0, variance: 0 };
  return { rate, variance: (bucketFactor(scores.length) * squaresOf(scores)) / trials ** 2 };
}

/**
 * One variant's own design effect: how many times larger the variance over buckets is than the binomial one,
 * B/(B − 1)·Σ_b (Σ_g s − p̂_g·n)² / Σ_g n_g·p̂_g·(1 − p̂_g), not below `floor`; over one segment this is
 * [bucket variance]/[p̂(1 − p̂)/n]. 1 when there is nothing to estimate it from. Throws as `bucketVariance`, and when the
 * segments differ in their number of buckets. Source: Rao & Scott 1992; method §8.2.
 */
export function designEffect(segments: readonly BucketCounts[], floor = 1): number {
  const sum = new DesignEffectSum();
  for (const counts of segments) sum.add(variantScore(counts));
  return sum.effect(floor);
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
  const sum = new DesignEffectSum();
  for (const segment of segments) sum.add(comparisonScore(segment));
  return sum.effect(floor);
}

/**
 * The design effect to divide a profile by: `scoreDesignEffect`, or stable's own while the candidate has fewer than 5
 * events in the first of the segments. Approximate, never below 1. Throws as these do. Source: method §8.2.
 */
export function stickyDesignEffect(segments: readonly SegmentBuckets[]): number {
  const [first] = segments;
  if (first === undefined) return 1;
  return total(first.candidate.events) < MINIMUM_CANDIDATE_EVENTS
    ? designEffect(segments.map(({ stable }) => stable))
    : scoreDesignEffect(segments);
}

/** One variant's part in one segment: u_b = s_b − p̂·n_b, v = n·p̂·(1 − p̂). Throws as `bucketVariance`. */
export function variantScore(counts: BucketCounts): ScorePart {
  const scores = zeros(counts.trials.length);
  return { scores, variance: addVariant(scores, counts, checkedTotals(counts, scores.length), 1) };
}

/** The comparison's part in one segment: u_b and v of `scoreDesignEffect`; nothing while a variant has no trials. */
export function comparisonScore({ candidate, stable }: SegmentBuckets): ScorePart {
  const scores = zeros(candidate.trials.length);
  const ofCandidate = checkedTotals(candidate, scores.length);
  const ofStable = checkedTotals(stable, scores.length);
  if (ofCandidate.trials === 0 || ofStable.trials === 0) return { scores, variance: 0 };
  const share = ofCandidate.trials / (ofCandidate.trials + ofStable.trials);
  const variance = addVariant(scores, candidate, ofCandidate, 1 - share) + addVariant(scores, stable, ofStable, -share);
  return { scores, variance };
}

/** Adds up segments' parts: B/(B − 1)·Σ_b (Σ_g u_b)² / Σ_g v_g at any time. */
export class DesignEffectSum {
  private scores: number[] | null = null;
  private variance = 0;

  /** Throws when the part has another number of buckets than those before. */
  add(part: ScorePart): void {
    this.variance += part.variance;
    if (this.scores === null) {
      this.scores = part.scores.slice();
      return;
    }
    requireSameLength(part.scores.length, this.scores.length, 'buckets');
    for (let b = 0; b < this.scores.length; b++) this.scores[b] = (this.scores[b] ?? 0) + (part.scores[b] ?? 0);
  }

  /** Not below `floor`; 1 when there is nothing to estimate it from. */
  effect(floor = 1): number {
    if (this.scores === null || this.variance === 0) return 1;
    return Math.max(floor, (bucketFactor(this.scores.length) * squaresOf(this.scores)) / this.variance);
  }
}

/** Plain, as typed arrays are dear to make and these live for one interval. */
function zeros(length: number): number[] {
  return Array.from({ length }, () => 0);
}

interface Totals {
  readonly trials: number;
  readonly rate: number;
}

/** Adds scale·(s_b − p̂·n_b) to each score; returns scale²·n·p̂·(1 − p̂). */
function addVariant(scores: number[], counts: BucketCounts, { trials, rate }: Totals, scale: number): number {
  for (let b = 0; b < scores.length; b++) {
    scores[b] = (scores[b] ?? 0) + scale * ((counts.events[b] ?? 0) - rate * (counts.trials[b] ?? 0));
  }
  return scale ** 2 * trials * rate * (1 - rate);
}

function squaresOf(scores: readonly number[]): number {
  let squares = 0;
  for (let b = 0; b < scores.length; b++) squares += (scores[b] ?? 0) ** 2;
  return squares;
}

function bucketFactor(buckets: number): number {
  return buckets / (buckets - 1);
}

/** n and p̂ over all buckets. In one pass with the checks: a long stage asks at each interval end. */
function checkedTotals(counts: BucketCounts, buckets: number): Totals {
  requireSameLength(counts.trials.length, buckets, 'buckets');
  requireSameLength(counts.events.length, buckets, 'buckets');
  if (buckets < 2) throw new StatisticsError('out-of-range', 'a design effect needs at least 2 buckets');
  let sum = 0;
  let bad = 0;
  for (let b = 0; b < buckets; b++) {
    const trials = counts.trials[b] ?? Number.NaN;
    const events = counts.events[b] ?? Number.NaN;
    requireCount(trials);
    requireCount(events);
    if (events > trials) throw new StatisticsError('events-exceed-trials', 'events exceed trials');
    sum += trials;
    bad += events;
  }
  return { trials: sum, rate: sum === 0 ? 0 : bad / sum };
}

function total(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] ?? 0;
  return sum;
}

import type { EvidenceRecord, RatingRecord } from '../../evidence/record.js';
import type { Variant } from '../../plan/types.js';
import { USER_BUCKETS } from './user-sums.js';

/** A score is cut at each place: the event of cut j is a score of at most j. A thumb down is an event of each cut. */
export const CUTS = [1, 2, 3, 4] as const;

/** The cut that people are shown: a score of 1 or 2 is a bad rating. */
export const SHOWN_CUT = 1;

/** Ratings by kind: they are never summed into one table, since who scores is not who gives thumbs. */
export const RATING_KINDS = ['thumb', 'score'] as const;
export type RatingKind = (typeof RATING_KINDS)[number];

/** Counts of one user bucket: thumbs down and up, and scores from 1 to 5. */
export interface RatingCounts {
  readonly thumb: [down: number, up: number];
  readonly score: [number, number, number, number, number];
}

/** One variant in one interval and stratum. */
export interface RatedVariant {
  /** Requests of users that it answered or failed to answer; 0 where only ratings are counted. */
  served: number;
  /** The same by user bucket, as far as the records say. */
  readonly servedByBucket: Record<string, number>;
  /** By user bucket. */
  readonly ratings: Record<string, RatingCounts>;
}

/** One interval and stratum of a generation, with the ratings that its requests earned. */
export interface RatedInterval {
  readonly stageIndex: number;
  readonly generation: number;
  readonly intervalStart: number;
  readonly stratum: string;
  warmup: boolean;
  /** A process lost a part of it: it is left out with both variants. */
  lost: boolean;
  readonly variants: Readonly<Record<Variant, RatedVariant>>;
}

/** Counts that a table takes: trials, and events by cut. */
export interface CutCounts {
  readonly trials: number;
  readonly events: readonly number[];
}

export function emptyRatedVariant(): RatedVariant {
  return { served: 0, servedByBucket: {}, ratings: {} };
}

export function addServed(variant: RatedVariant, { error, buckets }: EvidenceRecord): void {
  variant.served += error.trials;
  const trials = buckets['error_rate']?.trials;
  if (!trials) return;
  for (let bucket = 0; bucket < USER_BUCKETS; bucket++) {
    const requests = trials[bucket];
    if (requests !== undefined) variant.servedByBucket[bucket] = (variant.servedByBucket[bucket] ?? 0) + requests;
  }
}

export function addRating(variant: RatedVariant, { userBucket, nonce, rating }: RatingRecord): void {
  const bucket = userBucket ?? bucketOf(nonce);
  const counts = (variant.ratings[bucket] ??= { thumb: [0, 0], score: [0, 0, 0, 0, 0] });
  if (rating.kind === 'thumb') {
    counts.thumb[rating.up ? 1 : 0]++;
    return;
  }
  const place = rating.score - 1;
  counts.score[place] = (counts.score[place] ?? 0) + 1;
}

/** Ratings of both kinds. */
export function ratingsOf(variant: RatedVariant): number {
  return Object.values(variant.ratings).reduce((total, counts) => total + sum(counts.thumb) + sum(counts.score), 0);
}

/** The same of one user bucket. */
export function ratingsIn(counts: RatingCounts | undefined): number {
  return counts ? sum(counts.thumb) + sum(counts.score) : 0;
}

/** Ratings of one kind in one user bucket, cut at each place. Source: method §5.1. */
export function cutCounts(counts: RatingCounts, kind: RatingKind): CutCounts {
  const down = counts.thumb[0];
  const events = kind === 'thumb' ? CUTS.map(() => down) : CUTS.map((cut) => sum(counts.score.slice(0, cut)));
  return { trials: sum(counts[kind]), events };
}

/** A request without a user stands for itself: its bucket is any, and the same on every machine. */
function bucketOf(nonce: string): number {
  let hash = 0;
  for (let index = 0; index < nonce.length; index++) hash = (Math.imul(hash, 31) + nonce.charCodeAt(index)) >>> 0;
  return hash % USER_BUCKETS;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}

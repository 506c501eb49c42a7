import type { UserBuckets } from '../../evidence/record.js';
import type { Variant } from '../../plan/types.js';
import type { BucketCounts, SegmentBuckets } from '../design-effect.js';
import { sortedBuckets } from '../histogram.js';

/** Users are hashed into this many buckets. */
export const USER_BUCKETS = 64;

/** A sum as plain data, sparse. */
export type UserSumsSnapshot = Readonly<Record<Variant, UserBuckets>>;

/** Where each part begins in the one array that holds them all. */
const PARTS = {
  candidate: { trials: 0, events: USER_BUCKETS },
  stable: { trials: 2 * USER_BUCKETS, events: 3 * USER_BUCKETS },
} as const satisfies Record<Variant, { readonly trials: number; readonly events: number }>;

/** Not typed: each pool copies it for as short as an interval, and typed arrays are dear to make. */
const ZEROS: readonly number[] = Array.from({ length: 4 * USER_BUCKETS }, () => 0);

/**
 * Trials and bad events of both variants by hash bucket of the user, for the design effect (method §8.2). Dense and
 * summed in place: a long stage adds millions of counts. Without any it takes no room.
 */
export class UserSums {
  private counts: number[] | null = null;
  private additions = 0;

  constructor(from?: UserSumsSnapshot) {
    if (!from) return;
    this.add('candidate', from.candidate);
    this.add('stable', from.stable);
  }

  /** Grows with everything added, so that whoever computed something from the sums knows whether it still holds. */
  get version(): number {
    return this.additions;
  }

  /** Adds a record's counts; undefined = it has none. They were checked. */
  add(variant: Variant, buckets: UserBuckets | undefined): void {
    if (!buckets) return;
    const { trials, events } = PARTS[variant];
    this.counts ??= ZEROS.slice();
    addInOrder(this.counts, trials, buckets.trials);
    addInOrder(this.counts, events, buckets.events);
    this.additions++;
  }

  /** Adds another sum. */
  addSums(sums: UserSums): void {
    if (sums.counts === null) return;
    this.counts ??= ZEROS.slice();
    for (let i = 0; i < this.counts.length; i++) this.counts[i] = (this.counts[i] ?? 0) + (sums.counts[i] ?? 0);
    this.additions++;
  }

  /** Both variants' counts as they are now; null when nothing was ever added. */
  segment(): SegmentBuckets | null {
    return this.counts === null
      ? null
      : { candidate: partOf(this.counts, 'candidate'), stable: partOf(this.counts, 'stable') };
  }

  snapshot(): UserSumsSnapshot {
    return { candidate: this.sparse('candidate'), stable: this.sparse('stable') };
  }

  private sparse(variant: Variant): UserBuckets {
    const trials: Record<string, number> = {};
    const events: Record<string, number> = {};
    if (this.counts === null) return { trials, events };
    const parts = PARTS[variant];
    for (let bucket = 0; bucket < USER_BUCKETS; bucket++) {
      const inBucket = this.counts[parts.trials + bucket] ?? 0;
      const bad = this.counts[parts.events + bucket] ?? 0;
      if (inBucket > 0) trials[bucket] = inBucket;
      if (bad > 0) events[bucket] = bad;
    }
    return { trials, events };
  }
}

function addInOrder(sums: number[], first: number, buckets: UserBuckets['trials']): void {
  const { indexes, counts } = sortedBuckets(buckets);
  for (let position = 0; position < indexes.length; position++) {
    const place = first + (indexes[position] ?? 0);
    sums[place] = (sums[place] ?? 0) + (counts[position] ?? 0);
  }
}

/** The sum of several. */
export function mergeUserSums(all: readonly UserSums[]): UserSums {
  const [first, ...others] = all;
  if (first && others.length === 0) return first;
  const merged = new UserSums();
  for (const sums of all) merged.addSums(sums);
  return merged;
}

function partOf(counts: readonly number[], variant: Variant): BucketCounts {
  const { trials, events } = PARTS[variant];
  return {
    trials: counts.slice(trials, trials + USER_BUCKETS),
    events: counts.slice(events, events + USER_BUCKETS),
  };
}

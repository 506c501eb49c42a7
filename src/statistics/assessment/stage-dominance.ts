import type { EvidenceRecord, UserBuckets } from '../../evidence/record.js';
import type { Variant } from '../../plan/types.js';
import { effectiveClusters, fewUnitsDominate } from '../dominance.js';
import { USER_BUCKETS } from './user-sums.js';
import { percent, whole } from './words.js';

/** From so many requests of a variant and so many intervals on a busy user is no accident of the beginning. */
const LEAST_REQUESTS = 200;
const LEAST_INTERVALS = 10;

/** One variant's compared requests in one stage by hash bucket of the user, as plain data. */
export interface UsersOfVariant {
  readonly trials: number[];
  /** Interval ends at which it had any. */
  intervals: number;
}

/** Both variants' users in one stage, as plain data. */
export type StageUsers = Readonly<Record<Variant, UsersOfVariant>>;

export function noStageUsers(): StageUsers {
  return { stable: noUsers(), candidate: noUsers() };
}

/** Adds the compared records of one stage and interval end. Users are told with every request, so those of errors serve. */
export function addStageUsers(users: StageUsers, records: readonly EvidenceRecord[]): void {
  for (const variant of ['stable', 'candidate'] as const) {
    const ofVariant = users[variant];
    let isSeen = false;
    for (const record of records) {
      const buckets = record.variant === variant ? record.buckets['error_rate'] : undefined;
      if (buckets && addTrials(ofVariant.trials, buckets)) isSeen = true;
    }
    if (isSeen) ofVariant.intervals++;
  }
}

/** That few users speak for a variant, in a sentence; null = they do not, or it is too early. Source: method §8.3. */
export function dominanceOf(users: StageUsers): string | null {
  for (const variant of ['candidate', 'stable'] as const) {
    const { trials, intervals } = users[variant];
    const requests = trials.reduce((sum, inBucket) => sum + inBucket, 0);
    if (intervals < LEAST_INTERVALS || requests < LEAST_REQUESTS || !fewUnitsDominate(trials)) continue;
    const largest = Math.max(...trials) / requests;
    const clusters = effectiveClusters(trials);
    const who = variant === 'candidate' ? 'the candidate' : 'stable';
    return (
      `few users dominate ${who}: one of ${USER_BUCKETS} groups of users sends ${percent(largest)} of its ` +
      `${whole(requests)} requests, and all of them weigh as much as ${clusters.toFixed(1)} equal groups`
    );
  }
  return null;
}

/** A copy that shares nothing. */
export function copyStageUsers({ stable, candidate }: StageUsers): StageUsers {
  return {
    stable: { ...stable, trials: [...stable.trials] },
    candidate: { ...candidate, trials: [...candidate.trials] },
  };
}

function noUsers(): UsersOfVariant {
  return { trials: Array.from({ length: USER_BUCKETS }, () => 0), intervals: 0 };
}

function addTrials(sum: number[], buckets: UserBuckets): boolean {
  let isSeen = false;
  for (let bucket = 0; bucket < USER_BUCKETS; bucket++) {
    const trials = buckets.trials[bucket];
    if (trials === undefined || trials === 0) continue;
    sum[bucket] = (sum[bucket] ?? 0) + trials;
    isSeen = true;
  }
  return isSeen;
}

/** Ratings and the interval ends at which they become known, for tests of what is made of them. */
import type { EvidenceRecord, StoredRating } from '../../../src/evidence/record.js';
import { rolloutId } from '../../../src/plan/ids.js';
import type { FeedbackGuardrail, RateGuardrail, Variant } from '../../../src/plan/types.js';
import type { Assessment } from '../../../src/statistics/assessment/assessment.js';
import { intervalBatches } from '../../../src/statistics/assessment/interval-batch.js';
import type { IntervalBatch } from '../../../src/statistics/assessment/interval-batch.js';
import { fivePlan } from './plan-fixture.js';
import { Random } from './random.js';
import { intervalOf, START } from './records.js';

export const UP = { kind: 'thumb', up: true } as const;
export const DOWN = { kind: 'thumb', up: false } as const;

export function score(stars: number): StoredRating['rating'] {
  return { kind: 'score', score: stars };
}

let nonces = 0;

/** A rating of a request that started `second` seconds after the start, given and known half a second later. */
export function ratingOf(
  variant: Variant,
  second: number,
  rating: StoredRating['rating'],
  overrides: Partial<StoredRating> = {},
): StoredRating {
  const requestStartedAt = START + 1000 * second;
  nonces += 1;
  return {
    nonce: `nonce-${nonces}`,
    rollout: rolloutId('support@2026-11-24T09:00:00Z'),
    generation: 1,
    stratum: 'served',
    variant,
    userBucket: nonces % 64,
    requestStartedAt,
    ratedAt: requestStartedAt + 500,
    knownAfter: requestStartedAt,
    rating,
    ...overrides,
  };
}

/** The batch of one interval end. */
export function batchOf(records: readonly EvidenceRecord[], ratings: readonly StoredRating[] = []): IntervalBatch {
  const plan = fivePlan();
  const stages = new Map(plan.stages.map(({ name }, index) => [name, index]));
  const batches = intervalBatches(records, plan, { stages, histograms: new Map() }, ratings);
  const [batch] = batches;
  if (batch === undefined || batches.length > 1) throw new Error('not one interval end');
  return batch;
}

export function feedback(overrides: Partial<FeedbackGuardrail> = {}): FeedbackGuardrail {
  return {
    kind: 'feedback',
    name: 'feedback',
    action: 'rollback',
    weight: 1,
    limit: 1.05,
    typicalEffect: 0.4,
    promote: null,
    ...overrides,
  };
}

export function responseRate(): RateGuardrail {
  return {
    kind: 'rate',
    name: 'response_rate',
    action: 'hold',
    weight: 1,
    limit: 1.1,
    twoSided: true,
    typicalEffect: 0.4,
    promote: null,
  };
}

/** What users of a variant give; null = no rating. */
export type Opinion = (random: Random) => StoredRating['rating'] | null;

/** Thumbs, of which a share is down; `rated` is the share of requests that are rated. */
export function thumbs(bad: number, rated = 1): Opinion {
  return (random) => (random.happens(rated) ? { kind: 'thumb', up: !random.happens(bad) } : null);
}

/** Scores with the given shares from 1 star to 5. */
export function stars(shares: readonly number[]): Opinion {
  return (random) => {
    let left = random.uniform();
    const place = shares.findIndex((share) => (left -= share) < 0);
    return { kind: 'score', score: place < 0 ? shares.length : place + 1 };
  };
}

export interface RatedSecond {
  readonly records: readonly EvidenceRecord[];
  readonly ratings: readonly StoredRating[];
}

export interface RatedTraffic {
  readonly stage?: string;
  readonly generation?: number;
  /** Requests of each variant in a second. */
  readonly requests: number;
  readonly stable: Opinion;
  readonly candidate: Opinion;
  /** From a request to its rating. */
  readonly delayMs?: number;
  /** Users of one variant; default one for each request. */
  readonly users?: number;
}

/** Whole intervals of requests and the ratings that they earn, from a seed. */
export function ratedSeconds(seed: number, from: number, to: number, traffic: RatedTraffic): readonly RatedSecond[] {
  const { stage = 'canary-50', generation = 1, requests, delayMs = 500, users = Infinity } = traffic;
  const random = new Random(seed);
  return Array.from({ length: to - from }, (_, index) => {
    const second = from + index;
    const buckets: Record<Variant, Record<string, number>> = { stable: {}, candidate: {} };
    const ratings: StoredRating[] = [];
    for (const variant of ['stable', 'candidate'] as const) {
      for (let request = 0; request < requests; request++) {
        const user = Math.floor(random.uniform() * Math.min(users, 1_000_000));
        const userBucket = user % 64;
        buckets[variant][userBucket] = (buckets[variant][userBucket] ?? 0) + 1;
        const rating = traffic[variant](random);
        if (rating === null) continue;
        const requestStartedAt = START + 1000 * second + Math.floor((1000 * request) / requests);
        const ratedAt = requestStartedAt + delayMs;
        const knownAfter = 1000 * Math.floor(ratedAt / 1000);
        const nonce = `${seed} ${generation} ${second} ${variant} ${request}`;
        const at = { requestStartedAt, ratedAt, knownAfter, nonce, userBucket, generation };
        ratings.push(ratingOf(variant, second, rating, at));
      }
    }
    const counts = { trials: requests };
    const records = intervalOf({ stage, generation, second }, counts, counts).map((record) => ({
      ...record,
      buckets: { error_rate: { trials: buckets[record.variant], events: {} } },
    }));
    return { records, ratings };
  });
}

/**
 * Gives an assessment seconds in order, with the ratings that each interval end knows. `after` may put another in its
 * place after each; the last one is returned.
 */
export function absorbSeconds(
  assessment: Assessment,
  seconds: readonly RatedSecond[],
  after: (assessment: Assessment, index: number) => Assessment = (same) => same,
): Assessment {
  let current = assessment;
  let waiting = seconds.flatMap(({ ratings }) => ratings);
  for (const [index, { records }] of seconds.entries()) {
    const end = Math.max(...records.map(({ intervalStart, intervalMs }) => intervalStart + intervalMs));
    current.absorb(
      records,
      waiting.filter(({ knownAfter }) => knownAfter < end),
    );
    waiting = waiting.filter(({ knownAfter }) => knownAfter >= end);
    current = after(current, index);
  }
  return current;
}

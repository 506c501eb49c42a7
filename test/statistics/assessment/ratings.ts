/** Ratings and the interval ends at which they become known, for tests of what is made of them. */
import type { EvidenceRecord, StoredRating } from '../../../src/evidence/record.js';
import { rolloutId } from '../../../src/plan/ids.js';
import type { Variant } from '../../../src/plan/types.js';
import { intervalBatches } from '../../../src/statistics/assessment/interval-batch.js';
import type { IntervalBatch } from '../../../src/statistics/assessment/interval-batch.js';
import { fivePlan } from './plan-fixture.js';
import { START } from './records.js';

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

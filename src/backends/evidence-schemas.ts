/**
 * Records and ratings as they come from a router. A record that contradicts itself is refused by name: evidence that is
 * wrong must hold a rollout, never sway it.
 */
import { z } from 'zod';
import type { Assigned, EvidenceRecord, Histogram, Rate, RatingRecord, UserBuckets } from '../evidence/record.js';
import { rolloutId, stageName } from '../plan/ids.js';
import { branded, count, timestamp, variant } from './admin-schemas.js';

const rate = z
  .object({ trials: count, events: count })
  .refine((value) => value.events <= value.trials, { message: 'events exceed trials' }) satisfies z.ZodType<Rate>;

/** Keys of sparse counts are indices, values are counts. */
const sparseCounts = z.record(z.string().regex(/^\d+$/, 'a key is an index'), count);

const histogram = z.object({
  gamma: z.number().gt(1),
  xMin: z.number().positive(),
  counts: sparseCounts,
}) satisfies z.ZodType<Histogram>;

const userBuckets = z
  .object({ trials: sparseCounts, events: sparseCounts })
  .refine((value) => Object.entries(value.events).every(([bucket, events]) => events <= (value.trials[bucket] ?? 0)), {
    message: 'events exceed trials in a user bucket',
  }) satisfies z.ZodType<UserBuckets>;

const assigned = z.object({
  units: z.array(z.string().regex(/^[0-9a-f]{16}$/, 'a unit is a hash of 16 hex digits')),
  alone: count,
}) satisfies z.ZodType<Assigned>;

export const evidenceRecordSchema = z
  .object({
    rollout: branded(rolloutId),
    generation: count,
    stage: branded(stageName),
    intervalStart: count,
    stratum: z.string().min(1),
    variant,
    replica: z.string().min(1),
    process: z.string().min(1),
    revision: count,
    intervalMs: z.number().int().positive(),
    warmup: z.boolean(),
    started: count,
    completed: count,
    aborted: count,
    late: count,
    dropped: z.record(z.string(), count),
    incomplete: z.boolean(),
    error: rate,
    errorsByClass: z.partialRecord(z.enum(['model', 'refused', 'timeout', 'rate-limit', 'connect', 'broken']), count),
    cacheMiss: rate.exactOptional(),
    refusal: rate.exactOptional(),
    histograms: z.record(z.string(), histogram),
    tokens: z.object({ prompt: count, cached: count, completion: count, responses: count }),
    buckets: z.record(z.string(), userBuckets),
    assigned: assigned.exactOptional(),
  })
  .refine((record) => record.intervalStart % record.intervalMs === 0, {
    path: ['intervalStart'],
    message: 'is no multiple of intervalMs',
  }) satisfies z.ZodType<EvidenceRecord>;

export const ratingRecordSchema = z.object({
  nonce: z.string().min(1),
  rollout: branded(rolloutId),
  generation: count,
  stratum: z.string().min(1),
  variant,
  userBucket: z.number().int().min(0).max(63).nullable(),
  requestStartedAt: timestamp,
  ratedAt: timestamp,
  rating: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('thumb'), up: z.boolean() }),
    z.object({ kind: z.literal('score'), score: z.number().int().min(1).max(5) }),
  ]),
}) satisfies z.ZodType<RatingRecord>;

/** What a person needs in order to find a record; any shape is taken, since this names the broken ones. */
export function nameOfRecord(value: unknown): string {
  const named = z
    .object({
      rollout: z.unknown(),
      generation: z.unknown(),
      stage: z.unknown(),
      intervalStart: z.unknown(),
      stratum: z.unknown(),
      variant: z.unknown(),
      replica: z.unknown(),
      process: z.unknown(),
      revision: z.unknown(),
      nonce: z.unknown(),
    })
    .partial()
    .safeParse(value);
  return named.success ? JSON.stringify(named.data) : 'a record that is no object';
}

/** Answers of a router's admin API, checked before anything believes them. */
import { z } from 'zod';
import type { EvidencePage } from '../evidence/record.js';
import { rolloutId, routeName, stageName, upstreamName } from '../plan/ids.js';
import type { Split } from '../plan/split.js';
import type { RouteView } from './traffic-backend.js';

/** A string that one of the parsers of src/plan/ids.ts accepts. */
export function branded<Name extends string>(parse: (value: string) => Name) {
  return z.string().transform((value, context) => {
    try {
      return parse(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : 'not a name' });
      return z.NEVER;
    }
  });
}

export const count = z.number().int().nonnegative();
export const variant = z.enum(['stable', 'candidate']);
const share = z.number().min(0).max(1);
/** Unix ms; a router may count finer, nobody else does. */
export const timestamp = z.number().nonnegative().transform(Math.floor);

const meteringSchema = z.object({
  intervalMs: z.number().positive(),
  warmupMs: z.number().nonnegative(),
  requestTimeoutMs: z.number().positive(),
  feedbackHorizonMs: z.number().nonnegative(),
  histograms: z.record(
    z.string(),
    z.object({ gamma: z.number().gt(1), xMin: z.number().positive(), thresholdIndex: count.nullable() }),
  ),
  strata: z.array(z.string()),
});

export const splitSchema = z.object({
  generation: count,
  rollout: branded(rolloutId).nullable(),
  stage: branded(stageName).nullable(),
  weights: z.object({ stable: share, candidate: share }),
  upstreams: z.object({ stable: branded(upstreamName), candidate: branded(upstreamName).nullable() }),
  mirror: z.object({ variant, share }),
  salt: z.string(),
  lease: z.object({ seconds: z.number().positive(), onExpiry: z.enum(['stable', 'keep']) }).nullable(),
  metering: meteringSchema,
}) satisfies z.ZodType<Split>;

const values = z.array(z.number().nonnegative());

export const routeViewSchema = z.object({
  route: branded(routeName),
  replica: z.string(),
  process: z.string(),
  now: timestamp,
  split: splitSchema,
  inForce: z.boolean(),
  leaseExpiresAt: timestamp.nullable(),
  upstreams: z.array(z.string()),
  recent: z.object({
    latencyMs: values,
    ttftMs: values,
    // Routers of the version before do not send what follows.
    completionTokens: values.default([]),
    answered: z.object({ complete: count, streams: count, withCachedTokens: count }).nullable().default(null),
  }),
}) satisfies z.ZodType<RouteView>;

export const refusalSchema = z.object({
  error: z.object({ code: z.enum(['stale', 'owned']), message: z.string().optional() }),
  current: routeViewSchema,
});

const recentStarts = z.object({ started: count, failed: count });

/** Everything of a page but its records and ratings, which are checked one by one so that an error can name the one. */
export const evidenceEnvelopeSchema = z.object({
  replica: z.string(),
  process: z.string(),
  now: timestamp,
  closedThrough: timestamp,
  open: z.object({
    generation: count,
    rollout: branded(rolloutId).nullable(),
    inForce: z.boolean(),
    leaseExpiresAt: timestamp.nullable(),
    recent: z.object({ stable: recentStarts, candidate: recentStarts }),
    mirror: z.object({ chosen: count, dropped: count, answered: count }),
  }),
  records: z.array(z.unknown()),
  ratings: z.array(z.unknown()),
  cursor: z.string().min(1),
  more: z.boolean(),
}) satisfies z.ZodType<{
  [Key in keyof EvidencePage]: Key extends 'records' | 'ratings' ? unknown[] : EvidencePage[Key];
}>;

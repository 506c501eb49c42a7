import { z } from 'zod';
import { rolloutId, stageName, upstreamName } from '../../plan/ids.js';
import type { Split } from '../../plan/split.js';
import { signalOf } from '../meter/signals.js';

/** How far the weights may be from 1: they are computed once, by the plan. */
const WEIGHT_SUM_TOLERANCE = 1e-9;

const name = <T>(parse: (value: string) => T) =>
  z.string().transform((value, context): T => {
    try {
      return parse(value);
    } catch (error) {
      context.addIssue({ code: 'custom', message: error instanceof Error ? error.message : 'not a name' });
      return z.NEVER;
    }
  });

const share = z.number().min(0).max(1);
/** The longest that a timer of Node waits; beyond it, it does not wait at all. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const histogram = z.strictObject({
  gamma: z.number().gt(1),
  xMin: z.number().positive(),
  thresholdIndex: z.number().int().nonnegative().nullable(),
});

const metering = z.strictObject({
  intervalMs: z.number().int().positive(),
  warmupMs: z.number().nonnegative(),
  requestTimeoutMs: z.number().positive().max(LONGEST_TIMER_MS),
  feedbackHorizonMs: z.number().nonnegative(),
  histograms: z.record(z.string(), histogram),
  strata: z.array(z.string()),
});

/** A split as it comes over the admin API or from disk; the result is exactly what was written, branded. */
export const splitSchema = z
  .strictObject({
    generation: z.number().int().positive(),
    rollout: name(rolloutId).nullable(),
    stage: name(stageName).nullable(),
    weights: z.strictObject({ stable: share, candidate: share }),
    upstreams: z.strictObject({ stable: name(upstreamName), candidate: name(upstreamName).nullable() }),
    mirror: z.strictObject({ variant: z.enum(['stable', 'candidate']), share }),
    salt: z.string(),
    lease: z.strictObject({ seconds: z.number().positive(), onExpiry: z.enum(['stable', 'keep']) }).nullable(),
    metering,
  })
  .superRefine((split, context) => {
    const problem = (path: string[], message: string): void => {
      context.addIssue({ code: 'custom', path, message });
    };
    const { stable, candidate } = split.weights;
    if (Math.abs(stable + candidate - 1) > WEIGHT_SUM_TOLERANCE)
      problem(['weights'], `sum to ${stable + candidate}, not to 1`);
    if (split.upstreams.candidate === null) {
      if (candidate > 0) problem(['weights', 'candidate'], 'is above 0 although there is no candidate upstream');
      if (split.mirror.share > 0) problem(['mirror', 'share'], 'is above 0 although there is no candidate upstream');
    }
    if (split.lease === null) {
      if (stable !== 1)
        problem(['weights', 'stable'], 'of a split without lease is 1: nobody would take the candidate back');
    } else if (split.rollout === null || split.stage === null) {
      problem(['lease'], 'belongs to a rollout: name rollout and stage');
    }
    for (const key of Object.keys(split.metering.histograms)) {
      if (signalOf(key) === null)
        problem(['metering', 'histograms', key], 'measures nothing: begin with latency_, ttft_ or tokens_');
    }
  });

/** Path and message of each fault, one a line. */
export function schemaProblems(error: z.ZodError): string {
  return error.issues.map((issue) => `${issue.path.map(String).join('.') || '(body)'}: ${issue.message}`).join('; ');
}

/** Throws a `ZodError`. */
export function parseSplit(value: unknown): Split {
  return splitSchema.parse(value);
}

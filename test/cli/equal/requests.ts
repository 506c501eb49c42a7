/** Requests of a rollout of two stages, from a seed: what an upstream did with each, and who had sent it. */
import type { ErrorClass, RatingRecord } from '../../../src/evidence/record.js';
import type { Plan, StagePlan, Variant } from '../../../src/plan/types.js';
import { chooseVariant, splitPoint } from '../../../src/router/choice.js';
import type { Hash } from '../../../src/router/choice.js';
import { Random } from '../../statistics/assessment/random.js';

export const SALT = 'salt-1';
export const START_MS = Date.parse('2026-11-24T09:00:00.000Z');

export interface Request {
  /** Unix ms. */
  readonly at: number;
  readonly stageIndex: number;
  readonly stage: StagePlan;
  readonly unit: string;
  readonly variant: Variant;
  readonly latencyMs: number;
  readonly ttftMs: number | null;
  readonly error: ErrorClass | 'aborted' | null;
  readonly usage: { readonly promptTokens: number; readonly cachedTokens: number; readonly completionTokens: number };
  readonly refused: boolean | null;
  /** Given by the user within seconds of the answer. */
  readonly rating: RatingRecord['rating'] | null;
}

/** How much worse than stable a variant is, per kind of trouble. */
export interface Behaviour {
  readonly errorRate: number;
  readonly slowness: number;
  readonly refusals: number;
  readonly misses: number;
  readonly length: number;
  /** Share of bad ones among ratings. */
  readonly dislike: number;
}

export const HEALTHY: Behaviour = {
  errorRate: 0.02,
  slowness: 1,
  refusals: 0.03,
  misses: 0.3,
  length: 1,
  dislike: 0.2,
};

const CLASSES: readonly ErrorClass[] = ['model', 'refused', 'timeout', 'rate-limit', 'connect', 'broken'];
const UNITS = 300;
const PER_SECOND = 20;
const TIMEOUT_MS = 20_000;

/** In order of `at`. A few units send most of the requests; the stages follow each other within one interval. */
export function requestsOf(plan: Plan, hash: Hash, candidate: Behaviour, seed: number): readonly Request[] {
  const random = new Random(seed);
  let at = START_MS + 350;
  return plan.stages.flatMap((stage, stageIndex) =>
    Array.from({ length: (PER_SECOND * stage.durationMs) / 1000 }, () => {
      at += Math.floor((2 * 1000 * random.uniform()) / PER_SECOND);
      const unit = `user-${Math.floor(UNITS * random.uniform() ** 2)}`;
      const variant = chooseVariant(splitPoint(hash, SALT, unit), stage.weights.candidate);
      const behaviour = variant === 'candidate' ? candidate : HEALTHY;
      const end = endOf(behaviour, random);
      const rating = end.error === null && random.happens(0.2) ? ratingOf(behaviour, random) : null;
      return { at, stageIndex, stage, unit, variant, ...end, rating };
    }),
  );
}

function endOf(
  behaviour: Behaviour,
  random: Random,
): Pick<Request, 'latencyMs' | 'ttftMs' | 'error' | 'usage' | 'refused'> {
  const latencyMs = Math.round(600 * behaviour.slowness * Math.exp(0.7 * random.normal()));
  const ttftMs = random.happens(0.6) ? Math.round(latencyMs * 0.2 * (1 + random.uniform())) : null;
  const promptTokens = 200 + Math.floor(800 * random.uniform());
  const cachedTokens = random.happens(behaviour.misses) ? 0 : Math.floor(0.8 * promptTokens);
  const completionTokens = 1 + Math.round(120 * behaviour.length * Math.exp(0.6 * random.normal()));
  const usage = { promptTokens, cachedTokens, completionTokens };
  const refused = random.happens(0.9) ? random.happens(behaviour.refusals) : null;
  if (random.happens(behaviour.errorRate)) {
    const error = CLASSES[Math.floor(CLASSES.length * random.uniform())] ?? 'model';
    if (error === 'timeout') return { latencyMs: TIMEOUT_MS, ttftMs: null, error, usage, refused: null };
    if (error === 'broken') return { latencyMs, ttftMs, error, usage, refused };
    // A filter that blocks a prompt answers with an error of its own.
    return { latencyMs, ttftMs: null, error, usage, refused: error === 'refused' && random.happens(0.5) ? true : null };
  }
  if (random.happens(0.03)) return { latencyMs, ttftMs, error: 'aborted', usage, refused: null };
  return { latencyMs, ttftMs, error: null, usage, refused };
}

function ratingOf({ dislike }: Behaviour, random: Random): RatingRecord['rating'] {
  const bad = random.happens(dislike);
  if (random.happens(0.5)) return { kind: 'thumb', up: !bad };
  return { kind: 'score', score: (bad ? 1 : 3) + Math.floor((bad ? 2 : 3) * random.uniform()) };
}

/** The request as a line of a log. */
export function lineOf(request: Request): string {
  const { usage, rating } = request;
  return JSON.stringify({
    at: new Date(request.at).toISOString(),
    stage: request.stage.name,
    variant: request.variant,
    unit: request.unit,
    latencyMs: request.latencyMs,
    ttftMs: request.ttftMs,
    ...(request.error === null ? usage : {}),
    error: request.error,
    refused: request.refused,
    thumb: rating?.kind === 'thumb' ? (rating.up ? 'up' : 'down') : null,
    score: rating?.kind === 'score' ? rating.score : null,
  });
}

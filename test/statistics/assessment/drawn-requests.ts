/** Requests drawn by fast-check, and the records that any number of routers would write of them, for every guardrail. */
import fc from 'fast-check';
import type { EvidenceRecord, StoredRating, UserBuckets } from '../../../src/evidence/record.js';
import type { Plan, Variant } from '../../../src/plan/types.js';
import {
  LATENCY_BUCKETS,
  TOKEN_BUCKETS,
  abortRate,
  cacheHitRate,
  errorRate,
  firstToken,
  fivePlan,
  latency,
  refusalRate,
  sampleRatio,
  tokensPerResponse,
} from './plan-fixture.js';
import { feedback, ratingOf, responseRate } from './ratings.js';
import { recordOf } from './records.js';
import type { Place } from './records.js';

export interface DrawnRequest {
  readonly variant: Variant;
  readonly stratum: string;
  /** Hash bucket of its user. */
  readonly user: number;
  readonly fate: 'answered' | 'failed' | 'aborted' | 'refused';
  readonly latency: number;
  /** Null = not streamed. */
  readonly firstToken: number | null;
  readonly tokens: number;
  /** Null = it could not hit the cache. */
  readonly missed: boolean | null;
  /** Null = not rated. */
  readonly stars: number | null;
  /** Which router answered it. */
  readonly replica: number;
}

export const drawnRequest: fc.Arbitrary<DrawnRequest> = fc.record({
  variant: fc.constantFrom<Variant>('stable', 'candidate'),
  stratum: fc.constantFrom('short', 'long'),
  user: fc.nat({ max: 63 }),
  fate: fc.constantFrom('answered', 'answered', 'answered', 'failed', 'aborted', 'refused'),
  latency: fc.integer({ min: 690, max: 730 }),
  firstToken: fc.option(fc.integer({ min: 600, max: 640 })),
  tokens: fc.integer({ min: 250, max: 330 }),
  missed: fc.option(fc.boolean()),
  stars: fc.option(fc.integer({ min: 1, max: 5 }), { freq: 4 }),
  replica: fc.nat({ max: 3 }),
});

/** One guardrail of each kind and source; limits so near that baselines, thresholds and tables are all used soon. */
export function everyGuardrail(): Plan {
  return fivePlan({
    guardrails: [
      errorRate({ weight: 0.3 }),
      latency(0.95, { weight: 0.2 }),
      firstToken(0.5, { weight: 0.2 }),
      cacheHitRate({ weight: 0.1 }),
      feedback({ weight: 0.2 }),
      refusalRate({ weight: 0.4 }),
      abortRate({ weight: 0.4 }),
      { ...responseRate(), weight: 0.2 },
      tokensPerResponse(),
      sampleRatio(),
    ],
  });
}

/** Stable's meter before the rollout, so that thresholds stand from the first interval on. */
export const SEEDS = {
  latency_p95: { ...LATENCY_BUCKETS, counts: { 700: 150, 720: 60 } },
  ttft_p50: { ...LATENCY_BUCKETS, counts: { 615: 110, 620: 100 } },
  tokens_per_response: { ...TOKEN_BUCKETS, counts: { 270: 110, 290: 60, 300: 40 } },
};

/** The records of an interval's requests: one for each stratum, variant and group of replicas. */
export function recordsOf(requests: readonly DrawnRequest[], place: Place, replicas: number): EvidenceRecord[] {
  const groups = new Map<string, DrawnRequest[]>();
  for (const one of requests) {
    const key = `${one.variant} ${one.stratum} ${one.replica % replicas}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups].map(([key, group]) => {
    const [variant, stratum = '', replica = ''] = key.split(' ');
    return metered(variant === 'candidate' ? 'candidate' : 'stable', place, group, { stratum, replica });
  });
}

/** Their ratings, known one after the other from the request's own interval on. */
export function ratingsOf(requests: readonly DrawnRequest[], place: Place): readonly StoredRating[] {
  return requests.flatMap(({ stars, variant, stratum, user }, index) =>
    stars === null
      ? []
      : [
          ratingOf(
            variant,
            place.second,
            { kind: 'score', score: stars },
            {
              nonce: `${place.second}-${index}`,
              generation: place.generation ?? 1,
              stratum,
              userBucket: user,
            },
          ),
        ],
  );
}

function metered(
  variant: Variant,
  place: Place,
  group: readonly DrawnRequest[],
  key: { readonly stratum: string; readonly replica: string },
): EvidenceRecord {
  const failed = group.filter(({ fate }) => fate === 'failed');
  const answered = group.filter(({ fate }) => fate === 'answered' || fate === 'refused');
  const eligible = answered.filter(({ missed }) => missed !== null);
  const streamed = group.filter((one) => one.firstToken !== null);
  const tokens = { ...TOKEN_BUCKETS, counts: countBy(answered, (one) => one.tokens) };
  const ofLatency = { ...LATENCY_BUCKETS, counts: countBy(group, (one) => one.latency) };
  const first = { ...LATENCY_BUCKETS, counts: countBy(streamed, (one) => one.firstToken ?? 0) };
  return recordOf(
    variant,
    place,
    { trials: group.length, errors: failed.length },
    {
      ...key,
      completed: group.filter(({ fate }) => fate !== 'aborted').length,
      aborted: group.filter(({ fate }) => fate === 'aborted').length,
      cacheMiss: { trials: eligible.length, events: eligible.filter(({ missed }) => missed === true).length },
      refusal: { trials: answered.length, events: answered.filter(({ fate }) => fate === 'refused').length },
      histograms: { latency_p95: ofLatency, ttft_p50: first, tokens_per_response: tokens },
      buckets: {
        error_rate: usersOf(group, ({ fate }) => fate === 'failed'),
        abort_rate: usersOf(group, ({ fate }) => fate === 'aborted'),
        refusal_rate: usersOf(answered, ({ fate }) => fate === 'refused'),
        cache_hit_rate: usersOf(eligible, ({ missed }) => missed === true),
        latency_p95: usersOf(group, (one) => one.latency > 720),
        ttft_p50: usersOf(streamed, (one) => (one.firstToken ?? 0) > 615),
        tokens_per_response: usersOf(answered, (one) => one.tokens > 270),
      },
      assigned: { units: [], alone: group.length },
    },
  );
}

function countBy(group: readonly DrawnRequest[], bucketOf: (one: DrawnRequest) => number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const one of group) counts[bucketOf(one)] = (counts[bucketOf(one)] ?? 0) + 1;
  return counts;
}

function usersOf(group: readonly DrawnRequest[], isEvent: (one: DrawnRequest) => boolean): UserBuckets {
  return { trials: countBy(group, ({ user }) => user), events: countBy(group.filter(isEvent), ({ user }) => user) };
}

import fc from 'fast-check';
import { PAIRED, SERVED } from '../../src/evidence/record.js';
import type { EvidenceRecord, Histogram, RatingRecord, UserBuckets } from '../../src/evidence/record.js';
import { rolloutId, stageName } from '../../src/plan/ids.js';

export const ROLLOUT = rolloutId('support@2026-11-24T09:00:00Z');
/** The first interval of the tests, a multiple of every interval length that they use. */
export const FIRST = Date.UTC(2026, 10, 24, 9);
export const INTERVAL_MS = 10_000;

const LATENCY = { gamma: 1.2 ** 0.1, xMin: 0.001 };
const TOKENS = { gamma: 1.5 ** (1 / 22), xMin: 1 };

/** A valid record of one request; every field may be given. */
export function record(fields: Partial<EvidenceRecord> = {}): EvidenceRecord {
  return {
    rollout: ROLLOUT,
    generation: 1,
    stage: stageName('canary-5'),
    intervalStart: FIRST,
    stratum: SERVED,
    variant: 'stable',
    replica: 'router-1',
    process: 'process-a',
    revision: 1,
    intervalMs: INTERVAL_MS,
    warmup: false,
    started: 1,
    completed: 1,
    aborted: 0,
    late: 0,
    dropped: {},
    incomplete: false,
    error: { trials: 1, events: 0 },
    errorsByClass: {},
    histograms: {},
    tokens: { prompt: 0, cached: 0, completion: 0, responses: 0 },
    buckets: {},
    ...fields,
  };
}

export function rating(fields: Partial<RatingRecord> = {}): RatingRecord {
  return {
    nonce: 'f00d',
    rollout: ROLLOUT,
    generation: 1,
    stratum: SERVED,
    variant: 'candidate',
    userBucket: 7,
    requestStartedAt: FIRST + 1,
    ratedAt: FIRST + 60_000,
    rating: { kind: 'thumb', up: false },
    ...fields,
  };
}

/** `count` values spread over buckets near `middle`. */
function histogramOf(cut: { gamma: number; xMin: number }, values: readonly number[]): Histogram {
  const counts: Record<string, number> = {};
  for (const index of values) counts[index] = (counts[index] ?? 0) + 1;
  return { ...cut, counts };
}

function bucketsOf(trials: readonly number[], isEvent: (position: number) => boolean): UserBuckets {
  const buckets: { trials: Record<string, number>; events: Record<string, number> } = { trials: {}, events: {} };
  for (const [position, bucket] of trials.entries()) {
    buckets.trials[bucket] = (buckets.trials[bucket] ?? 0) + 1;
    if (isEvent(position)) buckets.events[bucket] = (buckets.events[bucket] ?? 0) + 1;
  }
  return buckets;
}

/** A record as a router of a chat service writes it: `requests` in one interval, by a generator of numbers in [0, 1). */
export function realisticRecord(
  fields: Partial<EvidenceRecord>,
  requests: number,
  random: () => number,
): EvidenceRecord {
  const near = (middle: number, spread: number): number => {
    const sum = random() + random() + random() + random() - 2;
    return Math.max(0, Math.round(middle + sum * spread));
  };
  const each = Array.from({ length: requests }, (_, position) => position);
  // 9 % of the trials of a bad minute: enough to fill each class now and then.
  const failures = each.filter(() => random() < 0.01).length;
  const latency = histogramOf(
    LATENCY,
    each.map(() => near(745, 45)),
  );
  const ttft = histogramOf(
    LATENCY,
    each.map(() => near(640, 35)),
  );
  const users = each.map(() => Math.floor(random() * 64));
  const slow = (share: number): UserBuckets => bucketsOf(users, () => random() < share);
  const prompt = each.reduce((sum) => sum + near(900, 700), 0);
  const missed = new Set(each.filter(() => random() < 0.4));
  return record({
    started: requests,
    completed: requests,
    error: { trials: requests, events: failures },
    errorsByClass: failures > 0 ? { model: failures } : {},
    cacheMiss: { trials: requests, events: missed.size },
    refusal: { trials: requests, events: each.filter(() => random() < 0.02).length },
    histograms: {
      latency_p50: latency,
      latency_p95: latency,
      ttft_p50: ttft,
      ttft_p95: ttft,
      tokens_per_response: histogramOf(
        TOKENS,
        each.map(() => near(290, 60)),
      ),
    },
    tokens: { prompt, cached: Math.floor(prompt * 0.6), completion: requests * 180, responses: requests - failures },
    buckets: {
      error_rate: bucketsOf(users, (position) => position < failures),
      latency_p50: slow(0.5),
      latency_p95: slow(0.05),
      ttft_p50: slow(0.5),
      ttft_p95: slow(0.05),
      cache_hit_rate: bucketsOf(users, (position) => missed.has(position)),
    },
    ...fields,
  });
}

const name = fc.constantFrom('router-1', 'router-2', 'router-10', 'Router-1', 'rüter', 'router_1');

/** Keys that collide often, so that replacing, adding and ordering all happen. */
const evidenceKey = fc.record({
  generation: fc.integer({ min: 1, max: 3 }),
  stage: fc.constantFrom('canary-5', 'canary-25').map(stageName),
  intervalStart: fc.integer({ min: 0, max: 5 }).map((step) => FIRST + step * INTERVAL_MS),
  stratum: fc.constantFrom(SERVED, PAIRED),
  variant: fc.constantFrom('stable' as const, 'candidate' as const),
  replica: name,
  process: fc.constantFrom('process-a', 'process-b'),
});

const counts = fc.dictionary(fc.nat({ max: 900 }).map(String), fc.nat({ max: 50 }), { maxKeys: 12 });

/** Valid records of all shapes; only what is compared between fields is made to fit. */
export const evidenceRecord: fc.Arbitrary<EvidenceRecord> = fc
  .record({
    key: evidenceKey,
    revision: fc.integer({ min: 1, max: 4 }),
    warmup: fc.boolean(),
    incomplete: fc.boolean(),
    latency: counts,
    ttft: fc.option(fc.nat({ max: 900 }), { nil: null }),
    users: fc.array(fc.nat({ max: 63 }), { maxLength: 20 }),
    failed: fc.nat({ max: 100 }),
    dropped: fc.dictionary(fc.constantFrom('busy', 'budget'), fc.nat({ max: 9 })),
    measured: fc.boolean(),
    late: fc.nat({ max: 5 }),
    prompt: fc.nat({ max: 1_000_000 }),
    units: fc.uniqueArray(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), { maxLength: 12 }),
    alone: fc.nat({ max: 3 }),
  })
  .map((drawn) => {
    const trials = Object.values(drawn.latency).reduce((sum, count) => sum + count, 0);
    const events = Math.min(drawn.failed, trials);
    const users = drawn.users.slice(0, trials);
    const started = trials + drawn.late;
    const units = drawn.units.slice(0, started).map((hash) => hash.toString(16).padStart(16, '0'));
    const alone = Math.min(drawn.alone, started - units.length);
    return record({
      ...drawn.key,
      revision: drawn.revision,
      warmup: drawn.warmup,
      incomplete: drawn.incomplete,
      started,
      completed: trials,
      late: drawn.late,
      dropped: drawn.dropped,
      error: { trials, events },
      errorsByClass: events > 1 ? { timeout: 1, connect: events - 1 } : {},
      ...(drawn.measured ? { cacheMiss: { trials, events }, refusal: { trials, events: 0 } } : {}),
      histograms: {
        latency_p95: { ...LATENCY, counts: drawn.latency },
        ...(drawn.ttft !== null && trials > 0
          ? { ttft_p95: { ...LATENCY, counts: { [String(drawn.ttft)]: trials } } }
          : {}),
      },
      tokens: { prompt: drawn.prompt, cached: 1, completion: 2, responses: 3 },
      buckets: users.length > 0 ? { error_rate: bucketsOf(users, (position) => position < events) } : {},
      ...(units.length + alone > 0 ? { assigned: { units, alone } } : {}),
    });
  });

/** A small deterministic generator (mulberry32), so that measured sizes are the same in every run. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EvidenceRecord, UserBuckets } from '../../../src/evidence/record.js';
import { stageName } from '../../../src/plan/ids.js';
import type { Variant } from '../../../src/plan/types.js';
import { absoluteMarginLogE, gateLogE } from '../../../src/statistics/absolute-margin.js';
import { createAssessment, restoreAssessment } from '../../../src/statistics/assessment/assessment.js';
import { designEffect, stickyDesignEffect } from '../../../src/statistics/design-effect.js';
import type { SegmentBuckets } from '../../../src/statistics/design-effect.js';
import { logEValue } from '../../../src/statistics/e-process.js';
import { EvidenceGridBuilder } from '../../../src/statistics/evidence-grid.js';
import { sumProfiles, tableProfile } from '../../../src/statistics/table-profile.js';
import type { Profile } from '../../../src/statistics/table-profile.js';
import { errorRate, fivePlan, latency, planWith } from './plan-fixture.js';
import { Random } from './random.js';
import { recordOf } from './records.js';
import { statusOf } from './run-stages.js';
import { stickyRamp } from './sticky-ramp.js';

const BUCKETS = 64;

/** Events and trials of one variant by bucket. */
interface Users {
  readonly trials: readonly number[];
  readonly events: readonly number[];
}

function sparse({ trials, events }: Users): UserBuckets {
  const of = (counts: readonly number[]): Record<string, number> =>
    Object.fromEntries(counts.flatMap((count, bucket) => (count > 0 ? [[String(bucket), count]] : [])));
  return { trials: of(trials), events: of(events) };
}

const sum = (counts: ArrayLike<number>): number => Array.from(counts).reduce((total, count) => total + count, 0);

function withUsers(
  variant: Variant,
  place: { readonly stage: string; readonly generation: number; readonly second: number },
  users: Users,
): EvidenceRecord {
  return recordOf(
    variant,
    place,
    { trials: sum(users.trials), errors: sum(users.events) },
    { buckets: { error_rate: sparse(users) } },
  );
}

/** Requests of both variants in one interval, so many a bucket that no pool has to wait. */
const usersOfInterval: fc.Arbitrary<Users> = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.nat({ max: 9 })), { minLength: BUCKETS, maxLength: BUCKETS })
  .map((pairs) => ({
    trials: pairs.map(([trials]) => trials),
    events: pairs.map(([trials, drawn]) => Math.min(trials, Math.max(0, drawn - 6))),
  }));

const intervals = fc.array(fc.record({ stable: usersOfInterval, candidate: usersOfInterval }), {
  minLength: 3,
  maxLength: 9,
});

const STAGES = ['canary-5', 'canary-25', 'canary-50'] as const;
const plan = planWith(errorRate());

/** The stage and generation of an interval: each third a stage, and within a stage a second generation at its end. */
function placeOf(index: number, count: number) {
  const third = Math.min(2, Math.floor((3 * index) / count));
  const stage = STAGES[third] ?? 'canary-50';
  const isLast = Math.floor((3 * (index + 1)) / count) > third;
  return { stage, generation: 2 * third + (isLast ? 2 : 1), second: index };
}

function add(total: { trials: number[]; events: number[] }, users: Users): void {
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    total.trials[bucket] = (total.trials[bucket] ?? 0) + (users.trials[bucket] ?? 0);
    total.events[bucket] = (total.events[bucket] ?? 0) + (users.events[bucket] ?? 0);
  }
}

function noProfiles(): Profile[] {
  return [];
}

function emptyUsers(): { trials: number[]; events: number[] } {
  return { trials: Array.from({ length: BUCKETS }, () => 0), events: Array.from({ length: BUCKETS }, () => 0) };
}

describe('the design effect of an assessment', () => {
  it('divides each restart’s evidence by that of its own stages, as the formula says', () => {
    fc.assert(
      fc.property(intervals, (all) => {
        const assessment = createAssessment(plan, {});
        const builder = new EvidenceGridBuilder();
        const test = builder.greater(Math.log(1.05), 0.4);
        const { theta } = builder.build();
        const byStage = STAGES.map(() => ({
          profiles: noProfiles(),
          users: { stable: emptyUsers(), candidate: emptyUsers() },
        }));
        for (const [index, { stable, candidate }] of all.entries()) {
          const place = placeOf(index, all.length);
          assessment.absorb([withUsers('stable', place, stable), withUsers('candidate', place, candidate)]);
          const stage = byStage[STAGES.indexOf(place.stage)];
          if (!stage) throw new Error('no stage');
          const table = {
            candidateEvents: sum(candidate.events),
            candidateTrials: sum(candidate.trials),
            stableEvents: sum(stable.events),
            stableTrials: sum(stable.trials),
          };
          stage.profiles.push(tableProfile(theta, table));
          add(stage.users.stable, stable);
          add(stage.users.candidate, candidate);
        }
        const logE = (first: number): number => {
          const stages = byStage.slice(first).filter(({ profiles }) => profiles.length > 0);
          const segments: SegmentBuckets[] = stages.map(({ users }) => users);
          const profile = sumProfiles(
            stages.flatMap(({ profiles }) => profiles),
            theta.length,
          );
          return logEValue(profile, test, stickyDesignEffect(segments));
        };
        const share = 0.7 / 3;
        // Shadow's restart holds the same stages as that of canary-5; the bake has not begun.
        const expected =
          (0.2 + share) * Math.exp(logE(0)) + share * Math.exp(logE(1)) + share * Math.exp(logE(2)) + 0.1;
        expect(statusOf(assessment, 'error_rate', 'canary-50').logE.breach).toBeCloseTo(Math.log(expected), 8);
        const restored = restoreAssessment(plan, JSON.parse(JSON.stringify(assessment.snapshot())));
        expect(restored.snapshot()).toEqual(assessment.snapshot());
        expect(restored.read(stageName('canary-50'), { promoteFromGeneration: 0 })).toEqual(
          assessment.read(stageName('canary-50'), { promoteFromGeneration: 0 }),
        );
      }),
      { numRuns: 40, seed: 3 },
    );
  });

  it('is 1 for records that tell nothing of users, and never below it', () => {
    const even = { trials: Array.from({ length: BUCKETS }, () => 5), events: Array.from({ length: BUCKETS }, () => 1) };
    const told = createAssessment(plan, {});
    const untold = createAssessment(plan, {});
    for (let second = 0; second < 20; second++) {
      const place = { stage: 'canary-50', generation: 1, second };
      const records = [withUsers('stable', place, even), withUsers('candidate', place, even)];
      told.absorb(records);
      untold.absorb(records.map((record) => ({ ...record, buckets: {} })));
    }
    // Every bucket fails alike: less than independent requests would differ, and yet no more evidence.
    expect(statusOf(told, 'error_rate', 'canary-50')).toEqual(statusOf(untold, 'error_rate', 'canary-50'));
  });
});

describe('sticky users', () => {
  /** 256 requests in 64 buckets; in so many of them, from one on, half fail, and in the others none. */
  const lumpy = (failing: number, from = 0): Users => ({
    trials: Array.from({ length: BUCKETS }, () => 4),
    events: Array.from({ length: BUCKETS }, (_, bucket) => (bucket >= from && bucket < from + failing ? 2 : 0)),
  });

  it('slow promotion down and widen the interval, in proportion', () => {
    const lumped = createAssessment(plan, {});
    const untold = createAssessment(plan, {});
    const stable = lumpy(8);
    // Other users than stable's: where the same ones fail on both variants, they cancel.
    const candidate = lumpy(8, 8);
    for (let second = 0; second < 18; second++) {
      const place = { stage: 'canary-50', generation: 1, second };
      const records = [withUsers('stable', place, stable), withUsers('candidate', place, candidate)];
      lumped.absorb(records);
      untold.absorb(records.map((record) => ({ ...record, buckets: {} })));
    }
    const slow = statusOf(lumped, 'error_rate', 'canary-50');
    const quick = statusOf(untold, 'error_rate', 'canary-50');
    expect(quick).toMatchObject({ verdict: 'undecided' });
    expect(quick.logE.safe ?? 0).toBeGreaterThan(1);
    expect(slow.why).toMatch(/; evidence divided by [\d.]+, since requests of one user resemble each other; e-value/);
    expect(quick.why).not.toContain('resemble');
    expect(slow.logE.safe ?? 0).toBeLessThan((quick.logE.safe ?? 0) / 3);
    expect(slow.interval[0] ?? 0).toBeLessThan(quick.interval[0] ?? 0);
    expect(slow.interval[1] ?? Infinity).toBeGreaterThan(quick.interval[1] ?? Infinity);
    expect(slow.needs?.requests ?? 0).toBeGreaterThan(3 * (quick.needs?.requests ?? 0));
  });

  it('temper what the candidate’s clean requests say on their own', () => {
    // Stable freezes its rate first, 4 of 64 a second; then the candidate answers, its failures all in one bucket.
    const assessment = createAssessment(plan, {});
    const stable = lumpy(4);
    for (let second = 0; second < 5; second++) {
      assessment.absorb([withUsers('stable', { stage: 'canary-25', generation: 1, second }, stable)]);
    }
    const candidate: Users = { ...lumpy(0), events: [4, ...Array.from({ length: BUCKETS - 1 }, () => 0)] };
    const total = emptyUsers();
    const ofStable = emptyUsers();
    const profiles: Profile[] = [];
    const frozen = (5 * 8) / (5 * 256);
    const builder = new EvidenceGridBuilder();
    const margin = Math.max(1.25 * frozen, frozen + 0.005);
    const limit = Math.log(margin / (1 - margin)) - Math.log(frozen / (1 - frozen));
    const test = builder.less(limit, limit);
    const { theta } = builder.build();
    for (let second = 5; second < 9; second++) {
      const place = { stage: 'canary-50', generation: 2, second };
      assessment.absorb([withUsers('stable', place, stable), withUsers('candidate', place, candidate)]);
      const table = { candidateEvents: 4, candidateTrials: 256, stableEvents: 8, stableTrials: 256 };
      profiles.push(tableProfile(theta, table));
      add(total, candidate);
      add(ofStable, stable);
    }
    const alone = designEffect([total]);
    const together = stickyDesignEffect([{ candidate: total, stable: ofStable }]);
    expect(alone).toBeGreaterThan(3);
    const expected = gateLogE(
      logEValue(sumProfiles(profiles, theta.length), test, together),
      absoluteMarginLogE(16, 4 * 256, frozen + 0.005, alone),
    );
    expect(statusOf(assessment, 'error_rate', 'canary-50').logE.safe).toBeCloseTo(expected, 10);
  });

  it('take stable’s own while the candidate has fewer than 5 events', () => {
    const assessment = createAssessment(plan, {});
    const untold = createAssessment(plan, {});
    const stable = lumpy(4);
    const clean = lumpy(0);
    for (let second = 0; second < 20; second++) {
      const place = { stage: 'canary-50', generation: 1, second };
      const records = [withUsers('stable', place, stable), withUsers('candidate', place, clean)];
      assessment.absorb(records);
      untold.absorb(records.map((record) => ({ ...record, buckets: {} })));
    }
    const { logE } = statusOf(assessment, 'error_rate', 'canary-50');
    expect(logE.safe ?? 0).toBeLessThan((statusOf(untold, 'error_rate', 'canary-50').logE.safe ?? 0) / 3);
  });

  it('count for quantiles at the threshold that the routers count at', () => {
    const slow = planWith(latency(0.5));
    const seeds = { latency_p50: { gamma: 1.2 ** 0.1, xMin: 0.001, counts: { 700: 500, 701: 500 } } };
    const told = createAssessment(slow, seeds);
    const untold = createAssessment(slow, seeds);
    const slowUsers = {
      stable: { trials: { 1: 50, 2: 50 }, events: { 1: 30 } },
      candidate: { trials: { 1: 50, 2: 50 }, events: { 2: 40 } },
    };
    for (let second = 0; second < 20; second++) {
      const records = [
        recordOf('stable', { second }, { trials: 100, latency: { 700: 70, 701: 30 } }),
        recordOf('candidate', { second }, { trials: 100, latency: { 700: 60, 712: 40 } }),
      ];
      untold.absorb(records);
      told.absorb(records.map((record) => ({ ...record, buckets: { latency_p50: slowUsers[record.variant] } })));
    }
    const { logE } = statusOf(told, 'latency_p50', 'canary-50');
    expect(logE.breach).toBeLessThan((statusOf(untold, 'latency_p50', 'canary-50').logE.breach ?? 0) / 5);
  });
});

describe('a ramp over users who stay and resemble themselves', { timeout: 120_000 }, () => {
  /** Whether a harmless candidate is ever rolled back, with and without what records tell of users. */
  function rolledBack(seed: number): { readonly told: boolean; readonly untold: boolean } {
    const told = createAssessment(anyIncrease, {});
    const untold = createAssessment(anyIncrease, {});
    const ramp = { users: 2000, intervals: 40, requests: 200, rate: 0.05, correlation: 0.1 };
    for (const records of stickyRamp(ramp, new Random(seed))) {
      told.absorb(records);
      untold.absorb(records.map((record) => ({ ...record, buckets: {} })));
    }
    return { told: told.crossings.rollback !== null, untold: untold.crossings.rollback !== null };
  }

  /** Any increase is a breach, and the three stages of the ramp share the mixture. */
  const anyIncrease = fivePlan({
    guardrails: [errorRate({ limit: 1, weight: 1 })],
    stages: plan.stages.filter(({ kind }) => kind === 'canary').map((stage) => ({ ...stage, mixtureShare: 1 / 3 })),
  });

  it('rolls a harmless candidate back too often by single requests, and not by users', () => {
    const runs = Array.from({ length: 120 }, (_, seed) => rolledBack(seed));
    // At 5 %, 12 of 120 is what 99 of 100 tries stay within.
    expect(runs.filter(({ untold }) => untold).length).toBeGreaterThan(12);
    expect(runs.filter(({ told }) => told).length).toBeLessThanOrEqual(6);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EvidenceRecord, StoredRating } from '../../../src/evidence/record.js';
import { rolloutId } from '../../../src/plan/ids.js';
import type { Variant } from '../../../src/plan/types.js';
import { ratingsOf } from '../../../src/statistics/assessment/rated-interval.js';
import type { RatedInterval } from '../../../src/statistics/assessment/rated-interval.js';
import { RatingWindow } from '../../../src/statistics/assessment/rating-window.js';
import { fivePlan } from './plan-fixture.js';
import { batchOf, DOWN, ratingOf, score, UP } from './ratings.js';
import { intervalOf, recordOf, START } from './records.js';

/** Intervals of 1 s, a horizon of 2 s. */
const { stages } = fivePlan();

function records(second: number, overrides: Partial<EvidenceRecord> = {}): readonly EvidenceRecord[] {
  return intervalOf({ second }, { trials: 7 }, { trials: 5 }, overrides);
}

/** Second of each interval given out, with how many ratings each variant has. */
function shown(intervals: readonly RatedInterval[]): readonly (readonly [number, number, number])[] {
  return intervals.map(({ intervalStart, variants }) => [
    (intervalStart - START) / 1000,
    ratingsOf(variants.stable),
    ratingsOf(variants.candidate),
  ]);
}

describe('the rating window', () => {
  it('gives out an interval once the horizon behind its end is over, with its ratings and requests', () => {
    const window = new RatingWindow(stages, 'ratings and requests');
    const ratings = [
      ratingOf('stable', 0.2, UP),
      ratingOf('candidate', 0.999, DOWN, { userBucket: 3 }),
      ratingOf('candidate', 0, score(5), { userBucket: 3 }),
    ];
    expect(window.take(batchOf(records(0), ratings))).toEqual([]);
    expect(window.take(batchOf(records(1)))).toEqual([]);
    const [interval, ...more] = window.take(batchOf(records(2)));
    expect(more).toEqual([]);
    expect(interval).toMatchObject({ stageIndex: 3, generation: 1, intervalStart: START, stratum: 'served' });
    expect(interval?.variants.candidate).toMatchObject({
      served: 5,
      ratings: { 3: { thumb: [1, 0], score: [0, 0, 0, 0, 1] } },
    });
    expect(interval?.variants.stable.served).toBe(7);
    expect(shown(window.take(batchOf(records(3))))).toEqual([[1, 0, 0]]);
  });

  it('counts a rating that became known at the interval end at which its interval is used', () => {
    const window = new RatingWindow(stages, 'ratings and requests');
    window.take(batchOf(records(0)));
    window.take(batchOf(records(1)));
    const last = ratingOf('stable', 0.5, UP, { ratedAt: START + 2_500, knownAfter: START + 2_999 });
    expect(shown(window.take(batchOf(records(2), [last])))).toEqual([[0, 1, 0]]);
  });

  it('leaves out and counts what comes late, after the horizon, of nowhere or of another rollout', () => {
    const window = new RatingWindow(stages, 'ratings and requests');
    for (const second of [0, 1, 2]) window.take(batchOf(records(second)));
    const known = START + 3_000;
    const ratings = [
      ratingOf('stable', 0.5, UP, { ratedAt: START + 2_500, knownAfter: known }),
      ratingOf('stable', 1.5, UP, { ratedAt: START + 3_501, knownAfter: known }),
      ratingOf('stable', 1.5, UP, { ratedAt: START + 3_500, knownAfter: known }),
      ratingOf('stable', 2.5, UP, { generation: 9, knownAfter: known }),
      ratingOf('stable', 2.5, UP, { rollout: rolloutId('support@2026-01-01T00:00:00Z'), knownAfter: known }),
    ];
    expect(shown(window.take(batchOf(records(3), ratings)))).toEqual([[1, 1, 0]]);
    expect(window.leftOut).toEqual({
      afterHorizon: 1,
      late: 1,
      unknownGeneration: 1,
      otherRollout: 1,
      lostInterval: 0,
    });
  });

  it('keeps ratings of a generation that no interval told of yet', () => {
    const window = new RatingWindow(stages, 'ratings and requests');
    window.take(batchOf(records(0)));
    const early = ratingOf('candidate', 2.4, DOWN, { generation: 2, knownAfter: START + 1_000 });
    window.take(batchOf(records(1), [early]));
    window.take(batchOf(records(2, { generation: 2 })));
    expect(window.leftOut.unknownGeneration).toBe(0);
    window.take(batchOf(records(3, { generation: 2 })));
    expect(shown(window.take(batchOf(records(4, { generation: 2 }))))).toEqual([[2, 0, 1]]);
  });

  it('files by the stage of the request whatever runs by then, each with its own horizon', () => {
    const window = new RatingWindow(
      stages.map((stage) => (stage.name === 'canary-25' ? { ...stage, feedbackHorizonMs: 5_000 } : stage)),
      'ratings',
    );
    const earlier = intervalOf({ second: 0, stage: 'canary-25' }, { trials: 3 }, { trials: 1 });
    window.take(batchOf(earlier));
    for (const second of [1, 2]) window.take(batchOf(records(second, { generation: 2 })));
    const late = ratingOf('candidate', 0.5, DOWN, { ratedAt: START + 5_400, knownAfter: START + 3_000 });
    expect(shown(window.take(batchOf(records(3, { generation: 2 }), [late])))).toEqual([[1, 0, 0]]);
    window.take(batchOf(records(4, { generation: 2 })));
    const [first, second] = window.take(batchOf(records(5, { generation: 2 })));
    expect([first?.stageIndex, first?.generation, second?.generation]).toEqual([2, 1, 2]);
    expect(shown(first ? [first] : [])).toEqual([[0, 0, 1]]);
  });

  it('leaves out an interval of which a process lost a part, with both variants', () => {
    const window = new RatingWindow(stages, 'ratings and requests');
    const lost = recordOf('candidate', { second: 0 }, { trials: 0 }, { incomplete: true, process: 'process-2' });
    window.take(batchOf([...records(0), lost], [ratingOf('stable', 0.1, UP), ratingOf('candidate', 0.2, DOWN)]));
    window.take(batchOf(records(1), [ratingOf('stable', 1.1, UP)]));
    expect(window.take(batchOf(records(2)))).toEqual([]);
    expect(window.leftOut.lostInterval).toBe(2);
    expect(shown(window.take(batchOf(records(3))))).toEqual([[1, 1, 0]]);
  });

  it('holds no more than the horizon', () => {
    const window = new RatingWindow(stages, 'ratings and requests');
    const sizes = Array.from({ length: 200 }, (_, second) => {
      window.take(batchOf(records(second), [ratingOf('stable', second, UP), ratingOf('candidate', second, DOWN)]));
      return window.snapshot().pending.length;
    });
    expect(Math.max(...sizes)).toBe(2);
  });

  it('puts a rating without a user into a bucket of its own making, the same each time', () => {
    const buckets = Array.from({ length: 500 }, (_, index) => {
      const window = new RatingWindow(stages, 'ratings and requests');
      const rating = ratingOf('stable', 0, UP, {
        userBucket: null,
        nonce: (index * 7_919).toString(16).padStart(24, '0'),
      });
      window.take(batchOf(records(0), [rating]));
      return Object.keys(window.snapshot().pending[0]?.variants.stable.ratings ?? {});
    });
    expect(new Set(buckets.flat()).size).toBeGreaterThan(55);
    expect(buckets.every((one) => one.length === 1)).toBe(true);
  });
});

interface Rated {
  readonly variant: Variant;
  readonly second: number;
  readonly delayMs: number;
  readonly stars: number;
  readonly generation: number;
}

const rated: fc.Arbitrary<Rated> = fc.record({
  variant: fc.constantFrom<Variant>('stable', 'candidate'),
  second: fc.integer({ min: 0, max: 9_999 }).map((ms) => ms / 1000),
  delayMs: fc.integer({ min: 0, max: 2_600 }),
  stars: fc.integer({ min: 1, max: 5 }),
  generation: fc.constantFrom(1, 1, 1, 2),
});

describe('ratings', () => {
  it('are given out the same in any order, in any state that a snapshot restored, each once or left out once', () => {
    fc.assert(
      fc.property(
        fc.array(rated, { maxLength: 80 }),
        fc.array(fc.nat(), { minLength: 80, maxLength: 80 }),
        (all, orders) => {
          const ratings = all.map(({ variant, second, delayMs, stars, generation }, index): StoredRating => {
            const ratedAt = START + 1000 * second + delayMs;
            const knownAfter = Math.floor(ratedAt / 1000) * 1000;
            return ratingOf(variant, second, score(stars), { ratedAt, knownAfter, generation, nonce: `${index}` });
          });
          const known = (second: number): readonly StoredRating[] =>
            ratings.filter(
              ({ knownAfter }) => knownAfter >= START + 1000 * second && knownAfter < START + 1000 * (second + 1),
            );
          const straight = new RatingWindow(stages, 'ratings and requests');
          let restored = new RatingWindow(stages, 'ratings and requests');
          let counted = 0;
          for (let second = 0; second < 16; second++) {
            const out = straight.take(batchOf(records(second), known(second)));
            const shuffled = known(second)
              .map((rating) => ({ rating, order: orders[Number(rating.nonce)] ?? 0 }))
              .toSorted((left, right) => left.order - right.order);
            const snapshot = restored.snapshot();
            expect(JSON.parse(JSON.stringify(snapshot))).toEqual(snapshot);
            restored = new RatingWindow(stages, 'ratings and requests', snapshot);
            expect(
              restored.take(
                batchOf(
                  records(second),
                  shuffled.map(({ rating }) => rating),
                ),
              ),
            ).toEqual(out);
            counted += out.reduce(
              (sum, { variants }) => sum + ratingsOf(variants.stable) + ratingsOf(variants.candidate),
              0,
            );
          }
          const leftOut = Object.values({ ...straight.leftOut }).reduce((sum, count) => sum + count, 0);
          expect(counted + leftOut).toBe(ratings.length);
          expect(straight.leftOut.late).toBe(0);
          expect(straight.leftOut.afterHorizon).toBe(
            all.filter(({ generation, delayMs }) => generation === 1 && delayMs > 2_000).length,
          );
        },
      ),
      { numRuns: 100, seed: 5 },
    );
  });
});

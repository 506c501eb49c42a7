import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  bucketVariance,
  designEffect,
  scoreDesignEffect,
  stickyDesignEffect,
} from '../../src/statistics/design-effect.js';
import type { BucketCounts, SegmentBuckets } from '../../src/statistics/design-effect.js';
import { effectiveClusters, fewUnitsDominate } from '../../src/statistics/dominance.js';
import { StatisticsError } from '../../src/statistics/errors.js';

const BUCKETS = 8;

const bucketCounts: fc.Arbitrary<BucketCounts> = fc
  .array(
    fc
      .integer({ min: 1, max: 40 })
      .chain((trials) => fc.tuple(fc.constant(trials), fc.integer({ min: 0, max: trials }))),
    { minLength: BUCKETS, maxLength: BUCKETS },
  )
  .map((pairs) => ({ trials: pairs.map(([trials]) => trials), events: pairs.map(([, events]) => events) }));
const segments: fc.Arbitrary<SegmentBuckets> = fc.record({ candidate: bucketCounts, stable: bucketCounts });

describe('design effects', () => {
  it('grow in proportion when every request is repeated', () => {
    fc.assert(
      fc.property(segments, fc.integer({ min: 2, max: 9 }), (segment, times) => {
        const repeated = { candidate: repeat(segment.candidate, times), stable: repeat(segment.stable, times) };
        const once = scoreDesignEffect([segment], 0);
        fc.pre(once !== 1);
        expect(scoreDesignEffect([repeated], 0)).toBeCloseTo(times * once, 8);
        expect(designEffect([repeated.stable], 0)).toBeCloseTo(times * designEffect([segment.stable], 0), 8);
      }),
    );
  });

  it('are never below 1, unless asked', () => {
    fc.assert(
      fc.property(segments, (segment) => {
        expect(scoreDesignEffect([segment])).toBeGreaterThanOrEqual(1);
        expect(designEffect([segment.stable])).toBeGreaterThanOrEqual(1);
        expect(stickyDesignEffect([segment])).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  it('are variance over buckets divided by the binomial one', () => {
    fc.assert(
      fc.property(bucketCounts, (counts) => {
        const { rate, variance } = bucketVariance(counts);
        fc.pre(rate > 0 && rate < 1);
        const trials = Array.from(counts.trials).reduce((total, n) => total + n, 0);
        expect(designEffect([counts], 0)).toBeCloseTo(variance / ((rate * (1 - rate)) / trials), 9);
      }),
    );
  });

  it('see users whom the ramp moved, which each segment alone does not', () => {
    // Bucket 0 fails always: as stable's user in the first segment, as the candidate's in the second. Its score in one
    // segment is opposite to that in the other; buckets that stay keep theirs.
    const before: SegmentBuckets = { candidate: even([0, 0, 4, 0]), stable: even([9, 1, 1, 1]) };
    const after: SegmentBuckets = { candidate: even([9, 1, 1, 1]), stable: even([0, 0, 4, 0]) };
    const same: SegmentBuckets = before;
    expect(scoreDesignEffect([before, after], 0)).toBeLessThan(0.2 * scoreDesignEffect([before, same], 0));
    expect(scoreDesignEffect([before, same], 0)).toBeGreaterThan(1.9 * scoreDesignEffect([before], 0));
  });

  it('are 1 when there is nothing to estimate them from', () => {
    const silent: SegmentBuckets = { candidate: even([0, 0, 0, 0]), stable: even([0, 0, 0, 0]) };
    const absent: BucketCounts = { trials: [0, 0, 0, 0], events: [0, 0, 0, 0] };
    expect(scoreDesignEffect([silent])).toBe(1);
    expect(scoreDesignEffect([{ candidate: absent, stable: even([5, 0, 0, 0]) }])).toBe(1);
    expect(designEffect([absent])).toBe(1);
    expect(bucketVariance(absent)).toEqual({ rate: 0, variance: 0 });
    expect(stickyDesignEffect([])).toBe(1);
  });

  it('are stable’s own while the candidate has fewer than 5 events', () => {
    const stable = even([9, 0, 0, 1]);
    const few: SegmentBuckets = { candidate: even([1, 1, 1, 1]), stable };
    const enough: SegmentBuckets = { candidate: even([2, 1, 1, 1]), stable };
    expect(stickyDesignEffect([few])).toBe(designEffect([stable]));
    expect(stickyDesignEffect([enough])).toBe(scoreDesignEffect([enough]));
    expect(designEffect([stable])).not.toBeCloseTo(scoreDesignEffect([enough]), 1);
  });

  it.each([
    { trials: [1, 2], events: [2, 0] },
    { trials: [1, 2], events: [0] },
    { trials: [1, -2], events: [0, 0] },
    { trials: [1, Number.NaN], events: [0, 0] },
    { trials: [4], events: [1] },
  ])('refuse %o', (counts) => {
    expect(() => bucketVariance(counts)).toThrow(StatisticsError);
    expect(() => designEffect([counts])).toThrow(StatisticsError);
    expect(() => scoreDesignEffect([{ candidate: counts, stable: counts }])).toThrow(StatisticsError);
  });
});

describe('dominance', () => {
  it('counts equally busy buckets as themselves', () => {
    expect(effectiveClusters(Array.from({ length: 64 }, () => 10))).toBe(64);
    expect(effectiveClusters([100, 0, 0, 0])).toBe(1);
    expect(effectiveClusters([])).toBe(0);
  });

  it('is found below 16 effective clusters and above a fifth in one bucket', () => {
    const even64 = Array.from({ length: 64 }, () => 10);
    expect(fewUnitsDominate(even64)).toBe(false);
    expect(fewUnitsDominate(even64.slice(0, 15))).toBe(true);
    expect(fewUnitsDominate([...even64.slice(1), 200])).toBe(true);
    expect(fewUnitsDominate([0, 0])).toBe(false);
    expect(() => fewUnitsDominate([-1])).toThrow('counts must be non-negative integers');
  });
});

function even(events: readonly number[]): BucketCounts {
  return { trials: events.map(() => 10), events };
}

function repeat(counts: BucketCounts, times: number): BucketCounts {
  return { trials: Array.from(counts.trials, (n) => n * times), events: Array.from(counts.events, (s) => s * times) };
}

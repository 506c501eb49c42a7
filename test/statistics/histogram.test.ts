import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { StatisticsError } from '../../src/statistics/errors.js';
import { exceedanceTable } from '../../src/statistics/exceedance-table.js';
import {
  bucketIndex,
  bucketUpperEdge,
  gammaForRatio,
  histogramOfBuckets,
  histogramTotal,
  keepSortedBuckets,
  quantileIndex,
  shiftForRatio,
  sortedBuckets,
} from '../../src/statistics/histogram.js';
import { ThresholdTracker } from '../../src/statistics/threshold-tracker.js';

const LATENCY = { gamma: gammaForRatio(1.2), smallest: 0.001 };

describe('buckets', () => {
  it('end exactly at their edges', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 1200 }), (index) => {
        const edge = bucketUpperEdge(index, LATENCY);
        expect(bucketIndex(edge, LATENCY)).toBe(index);
        expect(bucketIndex(edge * (1 + 1e-9), LATENCY)).toBe(index + 1);
        expect(bucketIndex(edge * (1 - 1e-9), LATENCY)).toBe(index);
      }),
    );
  });

  it.each([1.2, 1.25, 1.5, 2])('"times %d" is a whole number of buckets, for every value', (ratio) => {
    const buckets = { gamma: gammaForRatio(ratio), smallest: 0.001 };
    const shift = shiftForRatio(ratio, buckets.gamma);
    fc.assert(
      fc.property(fc.double({ min: 0.0011, max: 900_000, noNaN: true }), (value) => {
        expect(bucketIndex(value * ratio, buckets)).toBe(bucketIndex(value, buckets) + shift);
      }),
      { numRuns: 1000 },
    );
  });

  it('hold a value to within one gamma', () => {
    fc.assert(
      fc.property(fc.double({ min: 0.0011, max: 900_000, noNaN: true }), (value) => {
        const edge = bucketUpperEdge(bucketIndex(value, LATENCY), LATENCY);
        expect(edge / value).toBeGreaterThan(1 - 1e-9);
        expect(edge / value).toBeLessThan(LATENCY.gamma * (1 + 1e-9));
      }),
    );
  });

  it('put everything up to the smallest value into the first', () => {
    expect([0, Number.MIN_VALUE, 0.0005, 0.001].map((value) => bucketIndex(value, LATENCY))).toEqual([0, 0, 0, 0]);
  });

  it.each([-1, Number.NaN, Infinity, -Infinity])('refuse %d', (value) => {
    expect(() => bucketIndex(value, LATENCY)).toThrow(StatisticsError);
  });

  it('refuse a gamma of 1 or less and a smallest value of 0', () => {
    expect(() => bucketIndex(1, { gamma: 1, smallest: 0.001 })).toThrow(StatisticsError);
    expect(() => bucketIndex(1, { gamma: 1.02, smallest: 0 })).toThrow(StatisticsError);
    expect(() => gammaForRatio(1)).toThrow(StatisticsError);
  });
});

describe('shiftForRatio', () => {
  it('knows the ladder of latencies', () => {
    expect([10, 13, 17].map((shift) => shiftForRatio(LATENCY.gamma ** shift, LATENCY.gamma))).toEqual([10, 13, 17]);
    expect(shiftForRatio(1.5, gammaForRatio(1.5))).toBe(22);
    expect(shiftForRatio(1, LATENCY.gamma)).toBe(0);
  });

  it('refuses a ratio between two buckets', () => {
    expect(() => shiftForRatio(1.25, LATENCY.gamma)).toThrow(
      expect.objectContaining({ code: 'ratio-not-whole-buckets', message: 'ratio is not a whole number of buckets' }),
    );
  });
});

const histograms = fc.dictionary(fc.integer({ min: 0, max: 60 }).map(String), fc.integer({ min: 0, max: 9 }));

describe('quantileIndex', () => {
  it('is the bucket of the inverted empirical distribution', () => {
    const sortedValues = fc.array(fc.integer({ min: 0, max: 50 }), { minLength: 1, maxLength: 80 });
    fc.assert(
      fc.property(sortedValues, fc.integer({ min: 1, max: 100 }), (values, percent) => {
        const histogram: Record<number, number> = {};
        for (const value of values) histogram[value] = (histogram[value] ?? 0) + 1;
        const rank = Math.ceil((percent / 100) * values.length);
        expect(quantileIndex(histogram, percent / 100)).toBe(values.toSorted((a, b) => a - b)[rank - 1]);
      }),
    );
  });

  it('refuses an empty histogram, bad counts and a quantile outside (0, 1]', () => {
    expect(() => quantileIndex({}, 0.5)).toThrow(StatisticsError);
    expect(() => quantileIndex({ 3: 0 }, 0.5)).toThrow(StatisticsError);
    expect(() => quantileIndex({ 3: -1 }, 0.5)).toThrow('counts must be non-negative integers');
    expect(() => quantileIndex({ 3: 1.5 }, 0.5)).toThrow('counts must be non-negative integers');
    expect(() => quantileIndex({ 3: 1 }, 0)).toThrow(StatisticsError);
  });
});

describe('sorted buckets', () => {
  it('are every bucket in order, however the histogram was written', () => {
    expect(sortedBuckets({ 110: 7, 99: 5, 300: 0 })).toEqual({ indexes: [99, 110, 300], counts: [5, 7, 0], total: 12 });
  });

  it('are read once where they are kept', () => {
    const histogram = { 7: 1 };
    const kept = keepSortedBuckets(histogram);
    expect(sortedBuckets(histogram)).toBe(kept);
    expect(keepSortedBuckets(histogram)).toBe(kept);
  });

  it('make a histogram, and come back from it', () => {
    fc.assert(
      fc.property(histograms, (histogram) => {
        const { indexes, counts, total } = sortedBuckets(histogram);
        const made = histogramOfBuckets(indexes, counts);
        expect(made).toEqual(histogram);
        expect(sortedBuckets(made)).toEqual({ indexes, counts, total });
        expect(sortedBuckets({ ...made })).toEqual({ indexes, counts, total });
      }),
    );
  });

  it.each([
    [
      [7, 7],
      [1, 1],
    ],
    [
      [7, 6],
      [1, 1],
    ],
    [[-1], [1]],
    [[7], [0.5]],
    [[7, 8], [1]],
  ])('make no histogram of %j and %j', (indexes, counts) => {
    expect(() => histogramOfBuckets(indexes, counts)).toThrow(StatisticsError);
  });

  it('are refused where a bucket is written twice', () => {
    const twice: Record<string, number> = { '7': 1, '07': 1 };
    expect(() => sortedBuckets(twice)).toThrow(StatisticsError);
  });
});

describe('exceedanceTable', () => {
  it('counts what lies above the threshold, the candidate from the shift on', () => {
    const candidate = { 99: 5, 110: 7, 111: 2, 300: 1 };
    const stable = { 100: 40, 101: 8, 200: 2 };
    expect(exceedanceTable(candidate, stable, 100, 10)).toEqual({
      candidateEvents: 3,
      candidateTrials: 15,
      stableEvents: 10,
      stableTrials: 50,
    });
  });

  it('is fair to a candidate that is slower by exactly the ratio', () => {
    fc.assert(
      fc.property(histograms, fc.integer({ min: 0, max: 60 }), (stable, threshold) => {
        const slower = Object.fromEntries(Object.entries(stable).map(([index, count]) => [Number(index) + 10, count]));
        const table = exceedanceTable(slower, stable, threshold, 10);
        expect(table.candidateEvents).toBe(table.stableEvents);
        expect(table.candidateTrials).toBe(histogramTotal(stable));
      }),
    );
  });

  it('refuses bad counts, buckets and thresholds', () => {
    expect(() => exceedanceTable({ 1: -1 }, {}, 5, 10)).toThrow('counts must be non-negative integers');
    expect(() => exceedanceTable({}, { '-1': 1 }, 5, 10)).toThrow('counts must be non-negative integers');
    expect(() => exceedanceTable({}, { '1.5': 1 }, 5, 10)).toThrow('counts must be non-negative integers');
    expect(() => exceedanceTable({}, {}, Number.NaN, 10)).toThrow('counts must be non-negative integers');
  });
});

describe('ThresholdTracker', () => {
  it('has no threshold before 200 observations', () => {
    const tracker = new ThresholdTracker({ quantile: 0.5 });
    tracker.add({ 700: 199 });
    expect(tracker.threshold()).toBeNull();
    tracker.add({ 700: 1 });
    expect(tracker.threshold()).toBe(700);
  });

  it('is the plain quantile of what it has seen while nothing has been forgotten', () => {
    fc.assert(
      fc.property(histograms, fc.integer({ min: 1, max: 99 }), (histogram, percent) => {
        fc.pre(histogramTotal(histogram) > 0);
        const tracker = new ThresholdTracker({ quantile: percent / 100, minimumObservations: 1 });
        tracker.add(histogram);
        expect(tracker.threshold()).toBe(quantileIndex(histogram, percent / 100));
      }),
    );
  });

  it('follows a load that doubles every latency', () => {
    const tracker = new ThresholdTracker({ quantile: 0.95 });
    for (let i = 0; i < 100; i++) tracker.add({ 700: 95, 720: 5 });
    expect(tracker.threshold()).toBe(700);
    for (let i = 0; i < 100; i++) tracker.add({ 738: 95, 758: 5 });
    expect(tracker.threshold()).toBe(738);
  });

  it('forgets half after a half-life of observations', () => {
    const tracker = new ThresholdTracker({ quantile: 0.5, halfLife: 1000, minimumObservations: 1 });
    tracker.add({ 10: 1000 });
    tracker.add({ 20: 499 });
    // 1000 · 2^−0.499 = 708 against 499.
    expect(tracker.threshold()).toBe(10);
    tracker.add({ 20: 250 });
    expect(tracker.threshold()).toBe(20);
  });

  it('forgets in the end, so that no weight shrinks for ever', () => {
    const tracker = new ThresholdTracker({ quantile: 0.5, minimumObservations: 1 });
    tracker.add({ 900: 1 });
    // Half-life 280: 2^−1000 of the first one would be left.
    for (let i = 0; i < 280; i++) tracker.add({ 700: 1000 });
    expect(Object.keys(tracker.snapshot().weights)).toEqual(['700']);
    expect(tracker.threshold()).toBe(700);
  });

  it('grows to any bucket a latency can have, and refuses an absurd one unchanged', () => {
    const tracker = new ThresholdTracker({ quantile: 0.5, minimumObservations: 1 });
    tracker.add({ 40_000: 3 });
    expect(() => tracker.add({ 5: 1, 2_000_000: 9 })).toThrow(StatisticsError);
    expect(tracker.threshold()).toBe(40_000);
  });

  it.each([
    { quantile: 0 },
    { quantile: 1 },
    { quantile: Number.NaN },
    { quantile: 0.5, halfLife: 0 },
    { quantile: 0.5, minimumObservations: 0 },
  ])('refuses %o', (options) => {
    expect(() => new ThresholdTracker(options)).toThrow(StatisticsError);
  });
});

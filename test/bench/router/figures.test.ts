import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { paired, pairedDifferences, pairedRatios, shuffled, spreadOf } from '../../../bench/router/figures.js';

describe('spreadOf', () => {
  it('says the middle value, or the mean of the two in the middle, and the ends', () => {
    expect(spreadOf([5, 1, 3])).toEqual({ median: 3, least: 1, most: 5, count: 3 });
    expect(spreadOf([4, 1, 10, 2])).toEqual({ median: 3, least: 1, most: 10, count: 4 });
    expect(spreadOf([])).toBeNull();
  });

  it('does not depend on the order of the rounds', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, min: 0, max: 1e9 }), { minLength: 1 }),
        fc.nat(),
        (values, seed) => {
          expect(spreadOf(shuffled(values, seed))).toEqual(spreadOf(values));
        },
      ),
    );
  });
});

describe('pairing', () => {
  it('compares within a round and leaves out rounds that are void on either side', () => {
    expect(pairedRatios([10, null, 30, 40], [5, 1, null, 10])).toEqual([2, 4]);
    expect(pairedDifferences([10, 20], [4, 25])).toEqual([6, -5]);
    expect(paired([1, 2, 3], [1], (ours) => ours)).toEqual([1]);
  });

  it('is not the ratio of the medians when the machine changes between rounds', () => {
    const ours = [10, 100, 1_000];
    const theirs = [5, 50, 500];
    expect(spreadOf(pairedRatios(ours, theirs))).toEqual({ median: 2, least: 2, most: 2, count: 3 });
    const doubled = [2, 2, 200];
    expect(spreadOf(pairedRatios([4, 1, 100], doubled))?.median).toBe(0.5);
  });

  it('says nothing of a round in which the other is zero', () => {
    expect(pairedRatios([1, 4], [0, 2])).toEqual([2]);
  });
});

describe('shuffled', () => {
  it('keeps every item, in an order that the seed decides', () => {
    const items = Array.from({ length: 12 }, (_, index) => index);
    expect(shuffled(items, 7)).toEqual(shuffled(items, 7));
    expect(shuffled(items, 7)).not.toEqual(shuffled(items, 8));
    expect(shuffled(items, 7).toSorted((left, right) => left - right)).toEqual(items);
  });

  it('puts each item first about as often as any other', () => {
    const first = new Map<number, number>();
    for (let seed = 0; seed < 4_000; seed += 1) {
      const at = shuffled([0, 1, 2, 3], seed)[0] ?? -1;
      first.set(at, (first.get(at) ?? 0) + 1);
    }
    for (const item of [0, 1, 2, 3]) expect(Math.abs((first.get(item) ?? 0) - 1_000)).toBeLessThan(150);
  });
});

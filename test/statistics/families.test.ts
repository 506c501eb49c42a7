import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { closedTest } from '../../src/statistics/closed-test.js';
import { averageLogE } from '../../src/statistics/cuts.js';
import { eBenjaminiHochberg } from '../../src/statistics/e-benjamini-hochberg.js';
import { StatisticsError } from '../../src/statistics/errors.js';
import { familyLogE } from '../../src/statistics/family-average.js';
import { logSumExp } from '../../src/statistics/log-sum-exp.js';
import { restartMixture } from '../../src/statistics/restart-mixture.js';
import { logEValues, weightsOf } from './arbitraries.js';

const ALPHA = 0.05;

/** A family: log e-values with weights that sum to 1. */
const families = fc
  .array(logEValues, { minLength: 1, maxLength: 7 })
  .chain((values) => fc.tuple(fc.constant(values), weightsOf(values.length)));

describe('averages of e-processes', () => {
  it('are never later than Bonferroni and never above the largest', () => {
    fc.assert(
      fc.property(families, ([values, weights]) => {
        const average = familyLogE(values, weights);
        for (const [index, value] of values.entries()) {
          expect(average).toBeGreaterThanOrEqual(value + Math.log(weights[index] ?? 0) - 1e-12);
        }
        expect(average).toBeLessThanOrEqual(Math.max(...values) + 1e-12);
      }),
    );
  });

  it('neither overflow nor lose a metric that is hopeless', () => {
    expect(familyLogE([1e5, -1e5], [0.5, 0.5])).toBeCloseTo(1e5 - Math.LN2, 6);
    expect(familyLogE([-1e5, -1e5], [0.5, 0.5])).toBeCloseTo(-1e5, 6);
    expect(familyLogE([-Infinity, 0], [0.5, 0.5])).toBeCloseTo(-Math.LN2, 12);
    expect(logSumExp([])).toBe(-Infinity);
  });

  it('find a regression that starts after the candidate was better', () => {
    // The continuing process (first entry) is deep in its hole; the restart at the third stage is not.
    const afterHole = restartMixture([-80, -60, Math.log(400), 0], [0.2, 0.3, 0.3, 0.2]);
    expect(afterHole).toBeGreaterThan(-Math.log(ALPHA));
  });

  it('of equal weights are the plain mean', () => {
    expect(averageLogE([Math.log(1), Math.log(2), Math.log(6)])).toBeCloseTo(Math.log(3), 12);
    expect(() => averageLogE([])).toThrow(StatisticsError);
  });

  it.each([
    [
      [1, 2],
      [0.5, 0.4],
    ],
    [
      [1, 2],
      [1.5, -0.5],
    ],
    [[1, 2], [1]],
    [
      [1, Number.NaN],
      [0.5, 0.5],
    ],
    [
      [1, Number.NaN],
      [1, 0],
    ],
    [
      [1, 2],
      [0.5, Number.NaN],
    ],
  ])('refuse %o with weights %o', (values, weights) => {
    expect(() => familyLogE(values, weights)).toThrow(StatisticsError);
    expect(() => restartMixture(values, weights)).toThrow(StatisticsError);
  });
});

describe('closedTest', () => {
  it('names exactly those whose every set is at 1/α', () => {
    fc.assert(
      fc.property(families, ([values, weights]) => {
        expect(closedTest(values, weights, ALPHA).named).toEqual(namedByBruteForce(values, weights));
      }),
      { numRuns: 500 },
    );
  });

  it('names only in a family that has crossed', () => {
    fc.assert(
      fc.property(families, ([values, weights]) => {
        fc.pre(familyLogE(values, weights) < -Math.log(ALPHA) - 1e-9);
        expect(closedTest(values, weights, ALPHA).named).toEqual([]);
      }),
    );
  });

  it('gives the leading metric where none is named', () => {
    // The family crosses at 22.8, but each of the two falls below 20 together with the silent third.
    const values = [Math.log(38), Math.log(38), -Infinity];
    expect(familyLogE(values, [0.3, 0.3, 0.4])).toBeGreaterThan(-Math.log(ALPHA));
    expect(closedTest(values, [0.3, 0.3, 0.4], ALPHA)).toEqual({ named: [], leading: 0 });
    expect(closedTest(values, [0.4, 0.5, 0.1], ALPHA)).toEqual({ named: [0, 1], leading: 1 });
    expect(closedTest([], [], ALPHA)).toEqual({ named: [], leading: -1 });
  });

  it('bears evidence without bounds, and refuses NaN and weights of 0', () => {
    expect(closedTest([1e5, -Infinity], [0.5, 0.5], ALPHA)).toEqual({ named: [0], leading: 0 });
    expect(() => closedTest([Number.NaN], [1], ALPHA)).toThrow(StatisticsError);
    expect(() => closedTest([1, 1], [1, 0], ALPHA)).toThrow(StatisticsError);
    expect(() => closedTest([1], [0.5, 0.5], ALPHA)).toThrow(StatisticsError);
  });
});

describe('eBenjaminiHochberg', () => {
  it('rejects the k largest at the largest k whose k-th is at m/(αk)', () => {
    const logE = [60, 1, 45, 30, 500].map(Math.log);
    // Bars for m = 5, α = 0.1: 50, 25, 16.7, 12.5, 10.
    expect(eBenjaminiHochberg(logE, 0.1)).toEqual([0, 2, 3, 4]);
    expect(eBenjaminiHochberg([40, 1, 1, 1, 1].map(Math.log), 0.1)).toEqual([]);
    expect(eBenjaminiHochberg([], 0.1)).toEqual([]);
  });

  it('bears infinities and refuses NaN', () => {
    expect(eBenjaminiHochberg([Infinity, -Infinity, Infinity], 0.05)).toEqual([0, 2]);
    expect(() => eBenjaminiHochberg([0, Number.NaN], 0.05)).toThrow(StatisticsError);
  });
});

function namedByBruteForce(values: readonly number[], weights: readonly number[]): readonly number[] {
  const everySet = Array.from({ length: 2 ** values.length - 1 }, (_, code) =>
    values.map((_value, index) => index).filter((index) => ((code + 1) >> index) % 2 === 1),
  );
  const isAtBar = (set: readonly number[]): boolean => {
    const total = set.reduce((sum, index) => sum + (weights[index] ?? 0), 0);
    const mean = set.reduce((sum, index) => sum + ((weights[index] ?? 0) / total) * Math.exp(values[index] ?? 0), 0);
    return mean >= 1 / ALPHA;
  };
  return values
    .map((_, index) => index)
    .filter((index) => everySet.filter((set) => set.includes(index)).every(isAtBar));
}

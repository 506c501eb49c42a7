import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { scoreCutTables } from '../../src/statistics/cuts.js';
import { StatisticsError } from '../../src/statistics/errors.js';
import { gaussianProfile, logRatioEstimate } from '../../src/statistics/gaussian-profile.js';
import type { Moments } from '../../src/statistics/gaussian-profile.js';
import { erfc, logNormalCdf, scaledErfc } from '../../src/statistics/normal-distribution.js';
import { robbinsOneSided, robbinsTwoSided } from '../../src/statistics/robbins-mixture.js';

describe('logRatioEstimate', () => {
  it('does not depend on the unit of the values', () => {
    const values = fc.array(fc.double({ min: 0.5, max: 500, noNaN: true }), { minLength: 3, maxLength: 50 });
    fc.assert(
      fc.property(values, values, (candidate, stable) => {
        const inMs = logRatioEstimate(moments(candidate), moments(stable));
        fc.pre(inMs.information > 0 && inMs.information < 1e6);
        const inSeconds = logRatioEstimate(
          moments(candidate.map((value) => value / 1000)),
          moments(stable.map((value) => value / 1000)),
        );
        expect(inSeconds.logRatio).toBeCloseTo(inMs.logRatio, 9);
        expect(inSeconds.information / inMs.information).toBeCloseTo(1, 6);
      }),
    );
  });

  it.each([
    ['fewer than two values', [5], [4, 5, 6]],
    ['a mean of 0', [0, 0], [4, 5, 6]],
    ['values that do not vary', [3, 3, 3], [7, 7]],
  ])('knows nothing from %s', (_, candidate, stable) => {
    expect(logRatioEstimate(moments(candidate), moments(stable))).toEqual({ logRatio: 0, information: 0 });
    expect(logRatioEstimate(moments(stable), moments(candidate))).toEqual({ logRatio: 0, information: 0 });
  });

  it('refuses NaN and bad counts', () => {
    const good = moments([1, 2, 3]);
    expect(() => logRatioEstimate({ ...good, sum: Number.NaN }, good)).toThrow(StatisticsError);
    expect(() => logRatioEstimate({ ...good, sumOfSquares: -1 }, good)).toThrow(StatisticsError);
    expect(() => logRatioEstimate(good, { ...good, count: 2.5 })).toThrow('counts must be non-negative integers');
  });
});

describe('gaussianProfile', () => {
  it('is a parabola through 0 with its top at the estimate', () => {
    const [atZero, atEstimate = Number.NaN, beyond = Number.NaN] = gaussianProfile([0, 0.2, 0.4], 40, 200);
    expect(atZero).toBe(0);
    expect(atEstimate).toBeCloseTo(4, 12);
    expect(beyond).toBeCloseTo(0, 12);
    expect(() => gaussianProfile([0], Number.NaN, 200)).toThrow(StatisticsError);
    expect(() => gaussianProfile([0], 40, -1)).toThrow(StatisticsError);
  });
});

describe('scoreCutTables', () => {
  it('cuts between each two scores, worst first', () => {
    expect(scoreCutTables([1, 0, 2], [5, 6, 7])).toEqual([
      { candidateEvents: 1, candidateTrials: 3, stableEvents: 5, stableTrials: 18 },
      { candidateEvents: 1, candidateTrials: 3, stableEvents: 11, stableTrials: 18 },
    ]);
  });

  it.each([
    [
      [1, 2],
      [1, 2, 3],
    ],
    [[1], [1]],
    [
      [1, -2],
      [1, 2],
    ],
    [
      [1, Number.NaN],
      [1, 2],
    ],
  ])('refuses %o and %o', (candidate, stable) => {
    expect(() => scoreCutTables(candidate, stable)).toThrow(StatisticsError);
  });
});

describe('the normal distribution', () => {
  // 40-digit arithmetic.
  it.each([
    [0, 1],
    [0.5, 0.4795001221869535],
    [-1.3, 1.9340079449406524],
    [2, 0.004677734981047266],
    [5, 1.537459794428035e-12],
    [-6, 2],
  ])('erfc(%d)', (x, value) => {
    expect(Math.abs(erfc(x) / value - 1)).toBeLessThan(1e-13);
  });

  it('joins its two ways of computing without a step', () => {
    expect(erfc(2 - 1e-12) / erfc(2)).toBeCloseTo(1, 10);
    expect(scaledErfc(2 - 1e-12) / scaledErfc(2)).toBeCloseTo(1, 10);
  });

  it('has a logarithm where Φ itself underflows', () => {
    // ln Φ(−40) ≈ −800 − ln(40·√2π) − 1/1600.
    expect(logNormalCdf(-40)).toBeCloseTo(-800 - Math.log(40 * Math.sqrt(2 * Math.PI)) - 1 / 1600, 5);
    expect(logNormalCdf(0)).toBeCloseTo(-Math.LN2, 14);
    expect(() => erfc(Number.NaN)).toThrow(StatisticsError);
  });
});

describe('Robbins’ mixtures', () => {
  it('say that either side is half of both', () => {
    // Over λ > 0 and λ < 0 the one-sided mixtures (each of weight 1) average to the two-sided one.
    fc.assert(
      fc.property(fc.double({ min: -40, max: 40, noNaN: true }), (sum) => {
        const halves = (Math.exp(robbinsOneSided(sum, 90, 10)) + Math.exp(robbinsOneSided(-sum, 90, 10))) / 2;
        expect(Math.log(halves)).toBeCloseTo(robbinsTwoSided(sum, 90, 10), 10);
      }),
    );
    expect(() => robbinsTwoSided(1, -1, 1)).toThrow(StatisticsError);
    expect(() => robbinsOneSided(Number.NaN, 1, 1)).toThrow(StatisticsError);
  });
});

function moments(values: readonly number[]): Moments {
  return {
    count: values.length,
    sum: values.reduce((total, value) => total + value, 0),
    sumOfSquares: values.reduce((total, value) => total + value * value, 0),
  };
}

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { StatisticsError } from '../../src/statistics/errors.js';
import { excessBin, excessLogE } from '../../src/statistics/excess.js';
import { signProfile } from '../../src/statistics/sign-profile.js';
import { sumProfiles, tableProfile } from '../../src/statistics/table-profile.js';
import { thetas } from './arbitraries.js';

describe('signProfile', () => {
  it('is the kernel with one trial of each variant per pair', () => {
    const counts = fc.integer({ min: 0, max: 40 });
    fc.assert(
      fc.property(counts, counts, fc.array(thetas, { minLength: 1, maxLength: 5 }), (losses, wins, grid) => {
        const lost = { candidateEvents: 1, candidateTrials: 1, stableEvents: 0, stableTrials: 1 };
        const won = { candidateEvents: 0, candidateTrials: 1, stableEvents: 1, stableTrials: 1 };
        const pairs = [
          ...Array.from({ length: losses }, () => tableProfile(grid, lost)),
          ...Array.from({ length: wins }, () => tableProfile(grid, won)),
        ];
        const expected = sumProfiles(pairs, grid.length);
        for (const [index, value] of signProfile(grid, losses, wins).entries()) {
          expect(value).toBeCloseTo(expected[index] ?? Number.NaN, 10);
        }
      }),
    );
  });

  it('is exactly 0 at θ = 0 and bears any θ', () => {
    expect([...signProfile([0, 800], 3, 0)]).toEqual([0, 3 * Math.LN2]);
    expect([...signProfile([0, -800], 0, 3)]).toEqual([0, 3 * Math.LN2]);
  });

  it('refuses bad counts', () => {
    expect(() => signProfile([0], -1, 3)).toThrow('counts must be non-negative integers');
    expect(() => signProfile([Number.NaN], 1, 3)).toThrow(StatisticsError);
  });
});

describe('excessBin', () => {
  it('rounds down, but not below an edge', () => {
    expect([-0.5, -0.499, 0, 0.05, 0.0509, 0.499, 0.5].map((excess) => excessBin(excess))).toEqual([
      0, 1, 500, 550, 550, 999, 1000,
    ]);
  });

  it('never rounds up, and clips', () => {
    fc.assert(
      fc.property(fc.double({ min: -2, max: 2, noNaN: true }), (excess) => {
        const lowerEdge = excessBin(excess) / 1000 - 0.5;
        expect(lowerEdge).toBeLessThanOrEqual(Math.min(0.5, Math.max(-0.5, excess)) + 1e-11);
      }),
    );
    expect(() => excessBin(Number.NaN)).toThrow(StatisticsError);
  });
});

describe('excessLogE', () => {
  it('has mean at most 1 at the limit, for outcomes at the extremes', () => {
    // x = ±0.5 with mean exactly 0.05: the likeliest way to fool a bet.
    const up = 0.55;
    const mean = (n: number): number => {
      let sum = 0;
      let probability = (1 - up) ** n;
      for (let k = 0; k <= n; k++) {
        sum += probability * Math.exp(excessLogE({ 0: n - k, 1000: k }, { limit: 0.05 }));
        probability *= ((n - k) / (k + 1)) * (up / (1 - up));
      }
      return sum;
    };
    for (const n of [1, 5, 40]) expect(mean(n)).toBeCloseTo(1, 10);
  });

  it('merges: counts of two workers together say what they say at once', () => {
    expect(excessLogE({}, { limit: 0.05 })).toBeCloseTo(0, 14);
    expect(excessLogE({ 560: 0, 620: 3 }, { limit: 0.05 })).toBe(excessLogE({ 620: 3 }, { limit: 0.05 }));
  });

  it('grows with divergence', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 999 }), fc.integer({ min: 1, max: 300 }), (bin, count) => {
        const now = excessLogE({ [bin]: count }, { limit: 0.05 });
        expect(excessLogE({ [bin + 1]: count }, { limit: 0.05 })).toBeGreaterThan(now);
      }),
    );
  });

  it('refuses bins beyond the last, bad counts and a limit outside the clip', () => {
    expect(() => excessLogE({ 1001: 1 }, { limit: 0.05 })).toThrow(StatisticsError);
    expect(() => excessLogE({ 500: -1 }, { limit: 0.05 })).toThrow('counts must be non-negative integers');
    expect(() => excessLogE({ 500: 1 }, { limit: 0.5 })).toThrow(StatisticsError);
    expect(() => excessLogE({ 500: 1 }, { limit: Number.NaN })).toThrow(StatisticsError);
  });
});

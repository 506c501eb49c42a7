import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { alternativeOffsets, lognormalWeights } from '../../src/statistics/alternatives.js';
import { confidenceSequence } from '../../src/statistics/confidence-sequence.js';
import { logEValue } from '../../src/statistics/e-process.js';
import { StatisticsError } from '../../src/statistics/errors.js';
import { EvidenceGridBuilder } from '../../src/statistics/evidence-grid.js';
import { discountedProfile, tableProfile } from '../../src/statistics/table-profile.js';
import { tables } from './arbitraries.js';

describe('the e-value under a design effect', () => {
  it('is that of the profile divided by it, for every kind of test', () => {
    fc.assert(
      fc.property(tables(200), fc.double({ min: 1, max: 20, noNaN: true }), (table, effect) => {
        const builder = new EvidenceGridBuilder();
        const tests = [builder.greater(0.05, 0.4), builder.less(0.4, 0.4), builder.twoSided(0.1, 0.4)];
        const profile = tableProfile(builder.build().theta, table);
        for (const test of tests) {
          expect(logEValue(profile, test, effect)).toBeCloseTo(logEValue(discountedProfile(profile, effect), test), 9);
        }
      }),
    );
  });
});

describe('the grid of alternatives', () => {
  it('reaches from 0.02 to 2.92 in twenty steps', () => {
    const offsets = alternativeOffsets();
    expect(offsets).toHaveLength(20);
    expect(offsets[0]).toBe(0.02);
    expect(offsets.at(-1)).toBeCloseTo(2.924, 3);
  });

  it('keeps its last step when it falls exactly on the largest offset', () => {
    expect(alternativeOffsets({ smallest: 0.1, largest: 0.1 * 1.5 ** 7, ratio: 1.5 })).toHaveLength(8);
  });

  it('has weights that sum to 1 and peak at the typical effect, however far that is', () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e6, noNaN: true }), (typicalEffect) => {
        const weights = lognormalWeights(alternativeOffsets(), typicalEffect);
        const sum = weights.reduce((total, weight) => total + weight, 0);
        expect(Math.abs(sum - 1)).toBeLessThan(1e-12);
      }),
    );
  });

  it.each([
    { smallest: 0, largest: 1, ratio: 1.3 },
    { smallest: 2, largest: 1, ratio: 1.3 },
    { smallest: 0.1, largest: 1, ratio: 1 },
    { smallest: 0.1, largest: Number.NaN, ratio: 1.3 },
  ])('refuses %o', (range) => {
    expect(() => alternativeOffsets(range)).toThrow(StatisticsError);
  });
});

describe('logEValue', () => {
  const builder = new EvidenceGridBuilder();
  const breach = builder.greater(0.05, 0.4);
  const safe = builder.less(0.4, 0.4);
  const either = builder.twoSided(0.1, 0.4);
  const { theta } = builder.build();

  it('is 1 before there is evidence', () => {
    const nothing = new Float64Array(theta.length);
    for (const test of [breach, safe, either]) expect(logEValue(nothing, test)).toBeCloseTo(0, 14);
  });

  it('grows with each event that moves from stable to the candidate, and shrinks for the promote side', () => {
    fc.assert(
      fc.property(tables(300), (table) => {
        fc.pre(table.candidateEvents < table.candidateTrials && table.stableEvents > 0);
        const before = tableProfile(theta, table);
        const after = tableProfile(theta, {
          ...table,
          candidateEvents: table.candidateEvents + 1,
          stableEvents: table.stableEvents - 1,
        });
        expect(logEValue(after, breach)).toBeGreaterThan(logEValue(before, breach));
        expect(logEValue(after, safe)).toBeLessThan(logEValue(before, safe));
      }),
    );
  });

  it('of both sides is the mean of the one-sided ones', () => {
    fc.assert(
      fc.property(tables(300), (table) => {
        const profile = tableProfile(theta, table);
        const mean = (Math.exp(logEValue(profile, either.greater)) + Math.exp(logEValue(profile, either.less))) / 2;
        expect(Math.exp(logEValue(profile, either))).toBeCloseTo(mean, 9 - Math.ceil(Math.log10(1 + mean)));
      }),
    );
  });

  it('survives evidence far beyond the range of a double', () => {
    const overwhelming = Float64Array.from(theta, (point) => 200_000 * (point - point ** 2 / 6));
    expect(logEValue(overwhelming, breach)).toBeGreaterThan(1e5);
    expect(logEValue(overwhelming, safe)).toBeLessThan(-1e3);
  });

  it('refuses NaN and a profile of another grid', () => {
    expect(() =>
      logEValue(
        theta.map(() => Number.NaN),
        breach,
      ),
    ).toThrow(StatisticsError);
    expect(() => logEValue(new Float64Array(5), safe)).toThrow(StatisticsError);
  });

  it('has no two-sided limit below 0', () => {
    expect(() => new EvidenceGridBuilder().twoSided(-0.1, 0.4)).toThrow(StatisticsError);
  });
});

describe('confidenceSequence', () => {
  const builder = new EvidenceGridBuilder();
  const display = builder.display();
  const theta = builder.build().theta.subarray(display.first, display.end);

  it('is the whole line before there is evidence', () => {
    expect(confidenceSequence(theta, new Float64Array(theta.length), 0.05)).toEqual({
      lower: -Infinity,
      upper: Infinity,
    });
  });

  it('holds the grid point of largest likelihood, and more of the line at a smaller α', () => {
    fc.assert(
      fc.property(tables(2000), (table) => {
        const profile = tableProfile(theta, table);
        const mostLikely = theta[profile.indexOf(Math.max(...profile))] ?? Number.NaN;
        const narrow = confidenceSequence(theta, profile, 0.05);
        const wide = confidenceSequence(theta, profile, 0.01);
        expect(narrow.lower).toBeLessThan(mostLikely);
        expect(narrow.upper).toBeGreaterThan(mostLikely);
        expect(wide.lower).toBeLessThanOrEqual(narrow.lower);
        expect(wide.upper).toBeGreaterThanOrEqual(narrow.upper);
      }),
    );
  });

  it('closes in on the truth from both sides, reported one step outward', () => {
    // θ̂ = 0.7033 ± 0.0389: the set is 0.7033 ± 0.147, so its points of the grid are 0.60 … 0.85.
    const table = { candidateEvents: 2000, candidateTrials: 100_000, stableEvents: 1000, stableTrials: 100_000 };
    const { lower, upper } = confidenceSequence(theta, tableProfile(theta, table), 0.05);
    expect([lower, upper]).toEqual([0.55, 0.9]);
  });

  it('is open where the evidence has no bound', () => {
    const table = { candidateEvents: 40, candidateTrials: 400, stableEvents: 0, stableTrials: 400 };
    const { lower, upper } = confidenceSequence(theta, tableProfile(theta, table), 0.05);
    expect(lower).toBeGreaterThan(1);
    expect(upper).toBe(Infinity);
  });

  it('refuses an unordered grid, lengths that differ and an α outside (0, 1)', () => {
    const profile = new Float64Array(3);
    expect(() => confidenceSequence([0, 2, 1], profile, 0.05)).toThrow(StatisticsError);
    expect(() => confidenceSequence([0, 1], profile, 0.05)).toThrow(StatisticsError);
    expect(() => confidenceSequence([], [], 0.05)).toThrow(StatisticsError);
    expect(() => confidenceSequence([0, 1, 2], profile, 1)).toThrow(StatisticsError);
    expect(() => confidenceSequence([0, 1, 2], [0, Number.NaN, 0], 0.05)).toThrow(StatisticsError);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { StatisticsError } from '../../src/statistics/errors.js';
import { addTableProfile, discountedProfile, sumProfiles, tableProfile } from '../../src/statistics/table-profile.js';
import type { Table } from '../../src/statistics/table.js';
import { tables, thetas } from './arbitraries.js';

const GRID = [-3, -1.5, -0.4, -0.05, 0, 0.02, 0.3, 1, 2.92];

describe('tableProfile', () => {
  it('is the conditional log likelihood, summed over every possible table', () => {
    fc.assert(
      fc.property(tables(60), thetas, (table, theta) => {
        const [value] = tableProfile([theta], table);
        expect(value).toBeCloseTo(logLikelihoodByEnumeration(table, theta), 10);
      }),
    );
  });

  it.each([
    // Interval sizes at which the sums run from the modes; 40-digit arithmetic over the whole support.
    [
      table(299_854, 500_000, 300_000, 500_000),
      [-244_812.65320333073, -65_685.55495517298, -4762.451853709977, -71.35700634615661],
    ],
    [
      table(2600, 5000, 47_500, 95_000),
      [-4460.976359746228, -1383.4041039507624, -132.48452919165305, -6.234295855612565],
    ],
  ])('keeps its digits in large tables, far from 0 and near it: %o', (large, expected) => {
    const profile = tableProfile(GRID, large);
    for (const [index, value] of expected.entries()) {
      expect(Math.abs((profile[index] ?? Number.NaN) / value - 1)).toBeLessThan(1e-13);
    }
  });

  it('does not depend on which other points the grid holds, nor on their order', () => {
    fc.assert(
      fc.property(tables(2000), fc.array(thetas, { minLength: 1, maxLength: 12 }), (someTable, grid) => {
        const together = tableProfile(grid, someTable);
        for (const [index, theta] of grid.entries()) {
          const [alone = Number.NaN] = tableProfile([theta], someTable);
          expect(relativeDistance(together[index] ?? Number.NaN, alone)).toBeLessThan(1e-11);
        }
      }),
    );
  });

  it('is exactly 0 at θ = 0, in tables of any size', () => {
    fc.assert(
      fc.property(tables(20_000), (someTable) => {
        expect(tableProfile([2.9, 0.4, 0, -1], someTable)[2]).toBe(0);
      }),
    );
  });

  it('is the mirror image when the variants change places', () => {
    fc.assert(
      fc.property(tables(3000), thetas, (someTable, theta) => {
        const swapped = table(
          someTable.stableEvents,
          someTable.stableTrials,
          someTable.candidateEvents,
          someTable.candidateTrials,
        );
        expect(
          relativeDistance(tableProfile([theta], someTable)[0] ?? 0, tableProfile([-theta], swapped)[0] ?? 0),
        ).toBeLessThan(1e-11);
      }),
    );
  });

  it('is the mirror image when good and bad change places', () => {
    fc.assert(
      fc.property(tables(3000), thetas, (someTable, theta) => {
        const complement = table(
          someTable.candidateTrials - someTable.candidateEvents,
          someTable.candidateTrials,
          someTable.stableTrials - someTable.stableEvents,
          someTable.stableTrials,
        );
        expect(
          relativeDistance(tableProfile([theta], someTable)[0] ?? 0, tableProfile([-theta], complement)[0] ?? 0),
        ).toBeLessThan(1e-11);
      }),
    );
  });

  it('says more against a candidate with one more event, among the same margins', () => {
    fc.assert(
      fc.property(tables(500), fc.double({ min: 0.01, max: 3, noNaN: true }), (someTable, theta) => {
        fc.pre(someTable.candidateEvents < someTable.candidateTrials && someTable.stableEvents > 0);
        const worse = {
          ...someTable,
          candidateEvents: someTable.candidateEvents + 1,
          stableEvents: someTable.stableEvents - 1,
        };
        expect(tableProfile([theta], worse)[0]).toBeGreaterThan(tableProfile([theta], someTable)[0] ?? Infinity);
      }),
    );
  });

  it.each([
    ['no candidate', table(0, 0, 4, 380)],
    ['no stable', table(2, 20, 0, 0)],
    ['no events', table(0, 20, 0, 380)],
    ['nothing but events', table(20, 20, 380, 380)],
  ])('says nothing about %s', (_, silent) => {
    expect([...tableProfile(GRID, silent)]).toEqual(GRID.map(() => 0));
  });

  it.each([
    [table(-1, 20, 0, 10), 'counts must be non-negative integers', 'counts-not-integers'],
    [table(0.5, 20, 0, 10), 'counts must be non-negative integers', 'counts-not-integers'],
    [table(Number.NaN, 20, 0, 10), 'counts must be non-negative integers', 'counts-not-integers'],
    [table(1, Infinity, 0, 10), 'counts must be non-negative integers', 'counts-not-integers'],
    [table(1, 2 ** 53, 0, 10), 'counts must be non-negative integers', 'counts-not-integers'],
    [table(21, 20, 0, 10), 'events exceed trials', 'events-exceed-trials'],
    [table(1, 20, 11, 10), 'events exceed trials', 'events-exceed-trials'],
  ])('refuses %o', (impossible, message, code) => {
    expect(() => tableProfile(GRID, impossible)).toThrow(expect.objectContaining({ message, code }));
  });

  it.each([Number.NaN, Infinity, -Infinity, 301])('refuses θ = %d', (theta) => {
    expect(() => tableProfile([0, theta], table(1, 20, 3, 380))).toThrow(StatisticsError);
  });
});

describe('profiles', () => {
  it('add up in any order', () => {
    fc.assert(
      fc.property(
        fc.array(tables(), { maxLength: 12 }).chain((list) => fc.tuple(fc.constant(list), shuffled(list))),
        ([list, shuffledList]) => {
          const added = new Float64Array(GRID.length);
          for (const someTable of shuffledList) addTableProfile(added, GRID, someTable);
          const summed = sumProfiles(
            list.map((someTable) => tableProfile(GRID, someTable)),
            GRID.length,
          );
          for (const [index, value] of summed.entries())
            expect(relativeDistance(added[index] ?? Number.NaN, value)).toBeLessThan(1e-11);
        },
      ),
    );
  });

  it('stay as they are when a table is refused', () => {
    const profile = tableProfile(GRID, table(1, 20, 3, 380));
    const before = [...profile];
    expect(() => addTableProfile(profile, GRID, table(2, 1, 0, 5))).toThrow('events exceed trials');
    expect([...profile]).toEqual(before);
  });

  it('of another grid are refused', () => {
    expect(() => addTableProfile(new Float64Array(3), GRID, table(1, 20, 3, 380))).toThrow(StatisticsError);
    expect(() => sumProfiles([new Float64Array(3)], 4)).toThrow(StatisticsError);
  });

  it('shrink by the design effect', () => {
    expect([...discountedProfile(Float64Array.of(-3, 0, 6), 1.5)]).toEqual([-2, 0, 4]);
    expect(() => discountedProfile(Float64Array.of(1), Number.NaN)).toThrow(StatisticsError);
    expect(() => discountedProfile(Float64Array.of(1), 0)).toThrow(StatisticsError);
  });
});

function table(candidateEvents: number, candidateTrials: number, stableEvents: number, stableTrials: number): Table {
  return { candidateEvents, candidateTrials, stableEvents, stableTrials };
}

function relativeDistance(actual: number, expected: number): number {
  return Math.abs(actual - expected) / Math.max(1, Math.abs(expected));
}

function shuffled<T>(list: readonly T[]): fc.Arbitrary<readonly T[]> {
  return fc.shuffledSubarray([...list], { minLength: list.length });
}

/** e·θ − ln Σ_j p_0(j)·e^(jθ), with p_0 from log factorials: nothing in common with the code under test. */
function logLikelihoodByEnumeration(someTable: Table, theta: number): number {
  const { candidateEvents, candidateTrials, stableEvents, stableTrials } = someTable;
  const events = candidateEvents + stableEvents;
  const logChoose = (n: number, k: number): number => {
    let sum = 0;
    for (let i = 1; i <= k; i++) sum += Math.log((n - k + i) / i);
    return sum;
  };
  let atTheta = 0;
  let atZero = 0;
  for (let j = Math.max(0, events - stableTrials); j <= Math.min(candidateTrials, events); j++) {
    const log = logChoose(candidateTrials, j) + logChoose(stableTrials, events - j);
    const central = log - logChoose(candidateTrials + stableTrials, events);
    atZero += Math.exp(central);
    atTheta += Math.exp(central + (j - candidateEvents) * theta);
  }
  return Math.log(atZero) - Math.log(atTheta);
}

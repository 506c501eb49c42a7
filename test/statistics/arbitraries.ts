import fc from 'fast-check';

import type { Table } from '../../src/statistics/table.js';

function variant(maximumTrials: number): fc.Arbitrary<{ readonly events: number; readonly trials: number }> {
  return fc
    .integer({ min: 0, max: maximumTrials })
    .chain((trials) => fc.record({ trials: fc.constant(trials), events: fc.integer({ min: 0, max: trials }) }));
}

/** Any table, small sizes and lopsided ones included. */
export function tables(maximumTrials = 400): fc.Arbitrary<Table> {
  return fc.tuple(variant(maximumTrials), variant(maximumTrials)).map(([candidate, stable]) => ({
    candidateEvents: candidate.events,
    candidateTrials: candidate.trials,
    stableEvents: stable.events,
    stableTrials: stable.trials,
  }));
}

export const thetas: fc.Arbitrary<number> = fc.double({ min: -3, max: 3, noNaN: true });

/** Log e-values as they occur, from certain health to certain harm. */
export const logEValues: fc.Arbitrary<number> = fc.double({ min: -50, max: 50, noNaN: true });

/** Positive weights that sum to 1. */
export function weightsOf(length: number): fc.Arbitrary<readonly number[]> {
  return fc.array(fc.integer({ min: 1, max: 100 }), { minLength: length, maxLength: length }).map((parts) => {
    const sum = parts.reduce((total, part) => total + part, 0);
    return parts.map((part) => part / sum);
  });
}

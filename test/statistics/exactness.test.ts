import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { expectedEValue } from '../../bench/statistics/comparators/expected-e-value.js';
import type { Margins } from '../../bench/statistics/comparators/expected-e-value.js';

const RUNS = 50;
const TOLERANCE = 1e-9;

/** Margins of one interval: random sizes of both variants and a random number of events among them. */
const margins: fc.Arbitrary<Margins> = fc
  .record({ candidateTrials: fc.integer({ min: 1, max: 200 }), stableTrials: fc.integer({ min: 1, max: 600 }) })
  .chain((trials) =>
    fc.record({
      candidateTrials: fc.constant(trials.candidateTrials),
      stableTrials: fc.constant(trials.stableTrials),
      events: fc.integer({ min: 0, max: trials.candidateTrials + trials.stableTrials }),
    }),
  );
const limits = fc.double({ min: -0.5, max: 0.7, noNaN: true });

describe('the e-value of one interval is exact', () => {
  it.each(['greater', 'less'] as const)('its mean is 1 at the limit (%s)', (side) => {
    fc.assert(
      fc.property(margins, limits, (someMargins, limit) => {
        const mean = expectedEValue(someMargins, { side, limit, typicalEffect: 0.4 }, limit);
        expect(Math.abs(mean - 1)).toBeLessThanOrEqual(TOLERANCE);
      }),
      { numRuns: RUNS },
    );
  });

  it.each([
    ['greater', -1],
    ['less', 1],
  ] as const)('its mean is at most 1 inside the null hypothesis (%s)', (side, direction) => {
    fc.assert(
      fc.property(margins, limits, fc.double({ min: 0, max: 2, noNaN: true }), (someMargins, limit, distance) => {
        const test = { side, limit, typicalEffect: 0.4 };
        const mean = expectedEValue(someMargins, test, limit + direction * distance);
        expect(mean).toBeLessThanOrEqual(1 + TOLERANCE);
      }),
      { numRuns: RUNS },
    );
  });

  it('its mean exceeds 1 under a worse candidate, so the bound is no accident', () => {
    const test = { side: 'greater', limit: 0, typicalEffect: 0.4 } as const;
    expect(expectedEValue({ candidateTrials: 50, stableTrials: 150, events: 30 }, test, 0.6)).toBeGreaterThan(1.3);
  });
});

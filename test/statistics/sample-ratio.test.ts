import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { sampleRatioLogE } from '../../src/statistics/sample-ratio.js';
import { stirlingRemainder } from '../../src/statistics/stirling.js';

describe('sampleRatioLogE', () => {
  it('has mean 1 when the split is kept', () => {
    const n = 300;
    const share = 0.05;
    let mean = 0;
    let probability = (1 - share) ** n;
    for (let k = 0; k <= n; k++) {
      mean += probability * Math.exp(sampleRatioLogE([k, n - k], [share, 1 - share]));
      probability *= ((n - k) / (k + 1)) * (share / (1 - share));
    }
    expect(mean).toBeCloseTo(1, 11);
  });

  it('alarms on a split that is not kept, and not on one that is', () => {
    const bar = Math.log(1000);
    expect(sampleRatioLogE([100, 900], [0.05, 0.95])).toBeGreaterThan(bar);
    expect(sampleRatioLogE([2750, 47_250], [0.05, 0.95])).toBeGreaterThan(bar);
    expect(sampleRatioLogE([50_000, 950_000], [0.05, 0.95])).toBeLessThan(0);
  });

  it('is exactly no evidence before there are assignments', () => {
    expect(sampleRatioLogE([0, 0, 0], [0.2, 0.3, 0.5])).toBe(0);
  });

  it('does not depend on the order of the variants', () => {
    const count = fc.integer({ min: 0, max: 10_000_000 });
    fc.assert(
      fc.property(count, count, (candidate, stable) => {
        const one = sampleRatioLogE([candidate, stable], [0.05, 0.95]);
        const other = sampleRatioLogE([stable, candidate], [0.95, 0.05]);
        expect(Math.abs(one - other)).toBeLessThanOrEqual(1e-9 * Math.max(1, Math.abs(one)));
      }),
    );
  });

  it('takes counts that a design effect has divided', () => {
    expect(sampleRatioLogE([60.5, 940.25], [0.05, 0.95])).toBeCloseTo(0.14, 1);
  });

  it.each([
    [
      [-1, 10],
      [0.5, 0.5],
    ],
    [
      [1, Number.NaN],
      [0.5, 0.5],
    ],
    [
      [1, 10],
      [0, 1],
    ],
    [
      [1, 10],
      [-0.5, 1.5],
    ],
    [
      [1, 10],
      [0.5, 0.4],
    ],
    [
      [1, 10, 5],
      [0.5, 0.5],
    ],
  ])('refuses counts %o at split %o', (counts, split) => {
    expect(() => sampleRatioLogE(counts, split)).toThrow(expect.objectContaining({ name: 'StatisticsError' }));
  });
});

describe('stirlingRemainder', () => {
  it('gives factorials', () => {
    let logFactorial = 0;
    for (let n = 1; n <= 170; n++) {
      const z = n + 1;
      const logGamma = (z - 0.5) * Math.log(z) - z + 0.5 * Math.log(2 * Math.PI) + stirlingRemainder(z);
      logFactorial += Math.log(n);
      expect(Math.abs(logGamma - logFactorial)).toBeLessThan(1e-12 * Math.max(1, logFactorial));
    }
  });

  it('gives Γ(½) = √π', () => {
    expect(-0.5 + 0.5 * Math.log(2 * Math.PI) + stirlingRemainder(0.5)).toBeCloseTo(0.5 * Math.log(Math.PI), 13);
  });
});

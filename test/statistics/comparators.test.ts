import { describe, expect, it } from 'vitest';

import { fixedSampleCandidateRequests, normalQuantile } from '../../bench/statistics/comparators/fixed-sample.js';
import { growthbookRho } from '../../bench/statistics/comparators/growthbook.js';
import { howardRamdasQuantilePValue } from '../../bench/statistics/comparators/howard-ramdas.js';

describe('fixedSampleCandidateRequests', () => {
  it.each([
    [0.01, 0.02, 0.05, 849],
    [0.01, 0.015, 0.05, 3004],
    [0.01, 0.02, 0.5, 1826],
    [0.05, 0.065, 0.25, 1944],
    [0.6, 0.66, 0.05, 424],
    [0.001, 0.005, 0.05, 872],
  ])('from %d to %d at a share of %d is the method’s %d', (stableRate, candidateRate, share, requests) => {
    const exact = fixedSampleCandidateRequests({ stableRate, candidateRate, share, alpha: 0.05, power: 0.8 });
    expect(Math.round(exact)).toBe(requests);
  });

  it('knows the normal quantiles', () => {
    expect(normalQuantile(0.975)).toBeCloseTo(1.959963984540054, 12);
    expect(normalQuantile(0.5)).toBeCloseTo(0, 12);
  });
});

describe('growthbookRho', () => {
  it('is the one that their package ships', () => {
    expect(growthbookRho(0.05)).toBeCloseTo(0.03984006677137368, 15);
  });
});

describe('howardRamdasQuantilePValue', () => {
  const stable = Array.from({ length: 300 }, (_, i) => i + 1);
  const slower = Array.from({ length: 100 }, (_, i) => 4.2 * (i + 1));

  // From an independent port of the authors' own code.
  it.each([
    [0.5, 1000, 0.485699612746405],
    [0.9, 500, 1.0391652629054447e-6],
  ])('at quantile %d, tuned for %d, agrees with the authors’ algorithm', (quantile, optimalCount, expected) => {
    const pValue = howardRamdasQuantilePValue(slower, stable, { quantile, optimalCount });
    expect(pValue / expected).toBeCloseTo(1, 8);
  });

  it('is 1 for equal samples and does not depend on which is which', () => {
    const options = { quantile: 0.9, optimalCount: 500 };
    expect(howardRamdasQuantilePValue(stable, stable, options)).toBe(1);
    expect(howardRamdasQuantilePValue(stable, slower, options)).toBeCloseTo(
      howardRamdasQuantilePValue(slower, stable, options),
      15,
    );
  });
});

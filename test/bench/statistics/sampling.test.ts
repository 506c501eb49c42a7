import { describe, expect, it } from 'vitest';

import { AliasTable } from '../../../bench/statistics/sampling/alias-table.js';
import { betaDraw } from '../../../bench/statistics/sampling/beta.js';
import { BinomialSampler, binomialWeights } from '../../../bench/statistics/sampling/binomial.js';
import { binomialCdf, upperLimit } from '../../../bench/statistics/sampling/binomial-limit.js';
import { Random } from '../../../bench/statistics/sampling/random.js';

/** χ² of draws against probabilities, over the outcomes that are expected at least 5 times. */
function chiSquare(draw: () => number, probabilities: readonly number[], draws: number) {
  const counts = new Map<number, number>();
  for (let i = 0; i < draws; i++) {
    const outcome = draw();
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  }
  let statistic = 0;
  let outcomes = 0;
  for (const [outcome, probability] of probabilities.entries()) {
    const expected = probability * draws;
    if (expected < 5) continue;
    statistic += ((counts.get(outcome) ?? 0) - expected) ** 2 / expected;
    outcomes++;
  }
  return { statistic, outcomes };
}

/** The 99.99 % point of χ² by Wilson and Hilferty; seeds are fixed, so that a right sampler never fails. */
function largestLikely(degrees: number): number {
  return degrees * (1 - 2 / (9 * degrees) + 3.72 * Math.sqrt(2 / (9 * degrees))) ** 3;
}

describe('Random', () => {
  it('repeats itself for a name and index, and differs for others', () => {
    const draws = (name: string, index?: number) => {
      const random = new Random(name, index);
      return Array.from({ length: 5 }, () => random.uniform());
    };
    expect(draws('a')).toEqual(draws('a', 0));
    expect(draws('a')).not.toEqual(draws('b'));
    expect(draws('a')).not.toEqual(draws('a', 1));
  });

  it('is uniform over 64 cells, alone and with its predecessor', () => {
    const random = new Random('cells');
    const even = Array.from({ length: 64 }, () => 1 / 64);
    const alone = chiSquare(() => random.below(64), even, 200_000);
    const pairs = chiSquare(() => 8 * random.below(8) + random.below(8), even, 200_000);
    expect(alone.statistic).toBeLessThan(largestLikely(63));
    expect(pairs.statistic).toBeLessThan(largestLikely(63));
  });

  it('draws normals of mean 0 and variance 1', () => {
    const random = new Random('normal');
    const values = Array.from({ length: 100_000 }, () => random.normal());
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const square = values.reduce((sum, value) => sum + value * value, 0) / values.length;
    expect(Math.abs(mean)).toBeLessThan(4 / Math.sqrt(values.length));
    expect(Math.abs(square - 1)).toBeLessThan(4 * Math.sqrt(2 / values.length));
  });
});

describe('AliasTable', () => {
  it('draws indexes with their probabilities, and never one of weight 0', () => {
    const weights = [0, 5, 1, 0, 2, 0.5];
    const table = new AliasTable(weights);
    const random = new Random('alias');
    const probabilities = weights.map((weight) => weight / 8.5);
    const { statistic } = chiSquare(() => table.sample(random), probabilities, 100_000);
    expect(statistic).toBeLessThan(largestLikely(3));
    const seen = new Set(Array.from({ length: 10_000 }, () => table.sample(random)));
    expect(seen).toEqual(new Set([1, 2, 4, 5]));
  });

  it.each([[[]], [[0, 0]], [[Number.NaN]]])('refuses weights %j', (weights) => {
    expect(() => new AliasTable(weights)).toThrow(RangeError);
  });
});

describe('binomial draws', () => {
  it('have the textbook probabilities', () => {
    const { first, weights } = binomialWeights(4, 0.25);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    expect(first).toBe(0);
    const expected = [81, 108, 54, 12, 1].map((ways) => ways / 256);
    for (const [k, weight] of weights.entries()) expect(weight / sum).toBeCloseTo(expected[k] ?? Number.NaN, 14);
  });

  it.each([
    [380, 0.01],
    [20, 0.6],
    [200, 0.5],
  ])('of %d trials at %d follow them', (trials, rate) => {
    const { first, weights } = binomialWeights(trials, rate);
    const sum = weights.reduce((total, weight) => total + weight, 0);
    const probabilities = [...Array.from({ length: first }, () => 0), ...weights.map((weight) => weight / sum)];
    const sampler = new BinomialSampler(trials, rate);
    const random = new Random(`binomial ${trials}`);
    const { statistic, outcomes } = chiSquare(() => sampler.sample(random), probabilities, 100_000);
    expect(outcomes).toBeGreaterThan(5);
    expect(statistic).toBeLessThan(largestLikely(outcomes - 1));
  });

  it('are certain at the ends', () => {
    const random = new Random('ends');
    expect(new BinomialSampler(7, 0).sample(random)).toBe(0);
    expect(new BinomialSampler(7, 1).sample(random)).toBe(7);
    expect(new BinomialSampler(0, 0.3).sample(random)).toBe(0);
    expect(() => new BinomialSampler(7, 1.1)).toThrow(RangeError);
  });
});

describe('betaDraw', () => {
  it('has the mean and the intraclass correlation that it was asked for', () => {
    const random = new Random('beta');
    const values = Array.from({ length: 50_000 }, () => betaDraw(0.45, 8.55, random));
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
    expect(mean).toBeCloseTo(0.05, 2);
    expect(variance / (0.05 * 0.95)).toBeCloseTo(0.1, 2);
  });
});

describe('upperLimit', () => {
  it.each([
    // No success in n: 1 − 0.05^(1/n).
    [0, 100, 1 - 0.05 ** (1 / 100)],
    // From tables of the exact one-sided limit.
    [5, 100, 0.10225],
    [1, 10, 0.39416],
    [10, 10, 1],
  ])('of %d in %d is exact', (successes, trials, expected) => {
    expect(upperLimit(successes, trials)).toBeCloseTo(expected, 4);
  });

  it('is where so few successes have a chance of 5 %', () => {
    expect(binomialCdf(330, 10_000, upperLimit(330, 10_000))).toBeCloseTo(0.05, 9);
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawBinomial, drawMultinomial } from '../../../src/plan/forecast/simulation/binomial.js';
import { Random } from '../../../src/plan/forecast/simulation/random.js';
import { stageSlices } from '../../../src/plan/forecast/simulation/stage-slices.js';
import { upperLimit } from '../../../src/plan/forecast/simulation/upper-limit.js';
import { planWith } from '../context.js';

describe('drawBinomial', () => {
  it.each([
    [1, 0.3],
    [40, 0.1],
    [40, 0.9],
    [1000, 0.02],
    [100, 0.5],
    [60_000, 0.01],
    [1_000_000, 0.7],
  ])('has the mean, the variance and the third moment of %d trials of %d', (trials, rate) => {
    const random = new Random(5, trials);
    const draws = 20_000;
    const deviation = Math.sqrt(trials * rate * (1 - rate));
    const moments = [0, 0, 0];
    for (let draw = 0; draw < draws; draw++) {
      const z = (drawBinomial(trials, rate, random) - trials * rate) / deviation;
      for (const power of [1, 2, 3]) moments[power - 1] = (moments[power - 1] ?? 0) + z ** power / draws;
    }
    const [mean = NaN, variance = NaN, skew = NaN] = moments;
    expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(draws));
    expect(Math.abs(variance - 1)).toBeLessThan(8 / Math.sqrt(draws));
    expect(Math.abs(skew - (1 - 2 * rate) / deviation)).toBeLessThan(25 / Math.sqrt(draws));
  });

  it('stays within 0 and the trials, and is certain at the ends', () => {
    const random = new Random(1, 1);
    fc.assert(
      fc.property(fc.nat({ max: 100_000 }), fc.double({ min: 0, max: 1, noNaN: true }), (trials, rate) => {
        const events = drawBinomial(trials, rate, random);
        expect(Number.isSafeInteger(events) && events >= 0 && events <= trials).toBe(true);
      }),
    );
    expect([drawBinomial(50, 0, random), drawBinomial(50, 1, random), drawBinomial(0, 0.5, random)]).toEqual([
      0, 50, 0,
    ]);
    expect(() => drawBinomial(-1, 0.5, random)).toThrow('counts must be non-negative integers');
    expect(() => drawBinomial(10, 1.5, random)).toThrow('rate out of range');
  });

  it('gives the same draws for the same seed and others for another stream', () => {
    const draws = (seed: number, stream: number) => {
      const random = new Random(seed, stream);
      return Array.from({ length: 20 }, () => drawBinomial(1000, 0.3, random));
    };
    expect(draws(3, 1)).toEqual(draws(3, 1));
    expect(draws(3, 1)).not.toEqual(draws(3, 2));
    expect(draws(3, 1)).not.toEqual(draws(4, 1));
  });
});

it('drawMultinomial gives every trial to a share', () => {
  const random = new Random(2, 2);
  const shares = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(fc.nat({ max: 10_000 }), shares, (trials, weights) => {
      fc.pre(weights.some((weight) => weight > 1e-6));
      const counts = drawMultinomial(trials, weights, random);
      expect(counts.reduce((sum, count) => sum + count, 0)).toBe(trials);
    }),
  );
});

describe('upperLimit', () => {
  // Exact: (1 − limit)^n = 0.05 for no event.
  it.each([
    [0, 100, 1 - 0.05 ** 0.01],
    [100, 100, 1],
    [5, 100, 0.102_253],
    [2, 200, 0.031_143],
  ])('of %d events in %d trials is %d', (events, trials, limit) => {
    expect(upperLimit(events, trials)).toBeCloseTo(limit, 5);
  });
});

it('stageSlices cover a stage without gaps, cut at its warm-up and at its own end', () => {
  const [stage] = planWith({
    stages: [
      { kind: 'canary', share: '50%', for: '1d', interval: '10s', warmup: '95s', onUndecided: 'extend', maxFor: '2d' },
    ],
  }).stages;
  if (!stage) throw new Error('no stage');
  const slices = stageSlices(stage);
  expect(slices.map(({ startMs }) => startMs)).toEqual([0, ...slices.slice(0, -1).map(({ endMs }) => endMs)]);
  expect(slices.at(-1)?.endMs).toBe(stage.maxDurationMs);
  expect(slices.map(({ endMs }) => endMs)).toContain(stage.durationMs);
  // As the router has it: an interval that began within the warm-up is warm-up as a whole.
  expect(slices.findLast(({ warmup }) => warmup)?.endMs).toBe(100_000);
  expect(slices.length).toBeLessThan(150);
});

import { describe, expect, it } from 'vitest';

import { FailureLimit } from '../../../bench/statistics/comparators/failure-limit.js';
import { GrowthbookTest } from '../../../bench/statistics/comparators/growthbook-test.js';
import { asymptoticConfidenceSequence, growthbookRho } from '../../../bench/statistics/comparators/growthbook.js';
import {
  howardRamdasHistogramPValue,
  howardRamdasQuantilePValue,
} from '../../../bench/statistics/comparators/howard-ramdas.js';
import { KayentaJudge } from '../../../bench/statistics/comparators/kayenta-judge.js';
import { ZTest, zStatistic } from '../../../bench/statistics/comparators/z-test.js';
import { Random } from '../../../bench/statistics/sampling/random.js';
import type { Batch } from '../../../bench/statistics/sequential-test.js';

function batch(candidate: readonly [events: number, trials: number], stable: readonly [number, number]): Batch {
  const [candidateEvents, candidateTrials] = candidate;
  const [stableEvents, stableTrials] = stable;
  return { candidateEvents, candidateTrials, stableEvents, stableTrials, matchedStableEvents: stableEvents };
}

describe('ZTest', () => {
  it('is the pooled two-proportion statistic', () => {
    // 30/200 against 20/300: pooled 0.1, standard error √(0.09·(1/200 + 1/300)).
    const expected = (0.15 - 20 / 300) / Math.sqrt(0.09 * (1 / 200 + 1 / 300));
    expect(zStatistic(batch([30, 200], [20, 300]))).toBeCloseTo(expected, 12);
  });

  it('says nothing before five events are expected in the smaller sample', () => {
    expect(zStatistic(batch([8, 40], [2, 60]))).toBe(0);
  });

  it('peeked stops at the first look that exceeds 1.645, with one look only there', () => {
    const worse = batch([30, 200], [20, 300]);
    expect(new ZTest(0.05).add(worse)).toBe(true);
    const once = new ZTest(0.05, 400);
    expect([once.add(worse), once.add(worse), once.add(worse)]).toEqual([false, true, false]);
    expect(new ZTest(0.05, 200).add(batch([22, 200], [30, 300]))).toBe(false);
  });
});

describe('GrowthbookTest', () => {
  // 60/2000 against 40/4000: relative difference 2 by the delta method, or 0.02.
  const table = batch([60, 2000], [40, 4000]);
  const candidateVariance = (0.03 * 0.97) / 2000;
  const stableVariance = (0.01 * 0.99) / 4000;

  it.each([
    ['relative', 2, candidateVariance / 0.01 ** 2 + (stableVariance * 0.03 ** 2) / 0.01 ** 4],
    ['absolute', 0.02, candidateVariance + stableVariance],
  ] as const)('stops when the interval of the %s difference lies above 0', (difference, point, variance) => {
    // The level at which the interval just touches 0, by bisection over the interval itself.
    let low = 1e-12;
    let high = 0.5;
    for (let step = 0; step < 100; step++) {
      const alpha = (low + high) / 2;
      const estimate = { point, variance, observations: 6000 };
      if (asymptoticConfidenceSequence(estimate, growthbookRho(alpha), alpha)[0] > 0) high = alpha;
      else low = alpha;
    }
    expect(new GrowthbookTest(high * 1.01, difference).add(table)).toBe(true);
    expect(new GrowthbookTest(high * 0.99, difference).add(table)).toBe(false);
  });

  it('has no interval without events', () => {
    expect(new GrowthbookTest(0.05).add(batch([9, 10], [0, 1000]))).toBe(false);
  });
});

describe('FailureLimit', () => {
  it('rolls back at the fourth window above twice the baseline', () => {
    const limit = new FailureLimit(0.01);
    const windows = [3, 2, 3, 0, 3, 3].map((events) => limit.add(batch([events, 100], [0, 0])));
    expect(windows).toEqual([false, false, false, false, false, true]);
  });

  it('measures windows of 100 requests, however small the batches', () => {
    const limit = new FailureLimit(0.01);
    const looks = Array.from({ length: 20 }, () => limit.add(batch([1, 20], [0, 0])));
    expect(looks.indexOf(true)).toBe(19);
  });
});

describe('KayentaJudge', () => {
  /** The rank statistic of the candidate's values minus `shift`, ranks averaged over ties, as the judge's code has it. */
  function standardised(candidate: readonly number[], baseline: readonly number[], shift: number): number {
    const shifted = candidate.map((value) => value - shift);
    const all = [...shifted, ...baseline];
    const rank = (value: number): number =>
      all.filter((other) => other < value).length + (all.filter((other) => other === value).length + 1) / 2;
    const n = candidate.length;
    const m = baseline.length;
    const distance = shifted.reduce((sum, value) => sum + rank(value), 0) - (n * (n + 1)) / 2 - (n * m) / 2;
    const ties = [...new Set(all)].reduce((sum, value) => {
      const count = all.filter((other) => other === value).length;
      return sum + count ** 3 - count;
    }, 0);
    const deviation = Math.sqrt(((n * m) / 12) * (n + m + 1 - ties / ((n + m) * (n + m - 1))));
    return (distance - Math.sign(distance) * 0.5) / deviation;
  }

  /** Where the statistic falls to `quantile`, by scanning between the whole numbers. */
  function shiftAt(candidate: readonly number[], baseline: readonly number[], quantile: number): number {
    const lowest = Math.min(...candidate) - Math.max(...baseline);
    for (let shift = lowest; ; shift++) {
      if (standardised(candidate, baseline, shift + 0.5) <= quantile) return shift;
    }
  }

  it('fails what a rank-by-rank reading of its rule fails', () => {
    const random = new Random('kayenta');
    const verdicts: boolean[] = [];
    for (let run = 0; run < 40; run++) {
      const judge = new KayentaJudge();
      const candidate: number[] = [];
      const baseline: number[] = [];
      for (let window = 0; window < 25; window++) {
        candidate.push(random.below(6) + (run % 3));
        baseline.push(random.below(6));
        judge.addValues(candidate.at(-1) ?? 0, baseline.at(-1) ?? 0);
      }
      const lower = shiftAt(candidate, baseline, 2.3263478740408408);
      const expected = lower > 0 && lower > 0.25 * Math.abs(shiftAt(candidate, baseline, 0));
      expect(judge.fails()).toBe(expected);
      verdicts.push(expected);
    }
    expect(new Set(verdicts).size).toBe(2);
  });

  it('judges from ten windows on and takes an equal baseline', () => {
    const judge = new KayentaJudge();
    const worse: Batch = { ...batch([20, 100], [500, 10_000]), matchedStableEvents: 5 };
    const looks = Array.from({ length: 12 }, () => judge.add(worse));
    // Every value the same on either side: no spread within, all of it between.
    expect(looks.indexOf(true)).toBe(9);
  });
});

describe('howardRamdasHistogramPValue', () => {
  it('is the test on values when every bucket holds one', () => {
    const stable = Array.from({ length: 120 }, (_, i) => 2 * i);
    const candidate = Array.from({ length: 60 }, (_, i) => 5 * i + 7);
    const options = { quantile: 0.5, optimalCount: 200 };
    const histogram = (values: readonly number[]) => Object.fromEntries(values.map((value) => [value, 1]));
    const byBucket = howardRamdasHistogramPValue(histogram(candidate), histogram(stable), 3, options);
    const shifted = candidate.map((value) => value - 3);
    expect(byBucket).toBeCloseTo(howardRamdasQuantilePValue(shifted, stable, options), 14);
  });
});

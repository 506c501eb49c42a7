import { describe, expect, it } from 'vitest';

import {
  LATENCY_BUCKETS,
  LatencySampler,
  lognormal,
  quantileOf,
  slower,
} from '../../../bench/statistics/latency-model.js';
import { KernelEvidence, kernelMethod } from '../../../bench/statistics/kernel-evidence.js';
import { Random } from '../../../bench/statistics/sampling/random.js';
import { firstStops } from '../../../bench/statistics/sequential-test.js';
import { simulateTruth, summarise } from '../../../bench/statistics/simulate-binary.js';
import { RolloutSimulation } from '../../../bench/statistics/simulate-rollouts.js';
import { bucketUpperEdge, quantileIndex } from '../../../src/statistics/histogram.js';
import { tableProfile } from '../../../src/statistics/table-profile.js';

describe('firstStops', () => {
  it('gives each rule its first stop and draws no more than is needed', () => {
    const stopsAt = (name: string, look: number) => ({
      name,
      begin: () => {
        let looks = 0;
        return { add: () => ++looks === look };
      },
    });
    let drawn = 0;
    const batch = { candidateEvents: 0, candidateTrials: 1, stableEvents: 0, stableTrials: 1, matchedStableEvents: 0 };
    const draw = () => {
      drawn++;
      return batch;
    };
    expect(firstStops([stopsAt('early', 2), stopsAt('late', 5)], 100, draw)).toEqual([2, 5]);
    expect(drawn).toBe(5);
    expect(firstStops([stopsAt('never', 101)], 100, draw)).toEqual([Infinity]);
  });
});

describe('KernelEvidence', () => {
  const evidence = new KernelEvidence({ side: 'greater', limit: 0, typicalEffect: 0.4 });
  const table = { candidateEvents: 3, candidateTrials: 20, stableEvents: 4, stableTrials: 380 };

  it('adds the profile of the method, looked up or not', () => {
    const twice = new Float64Array(evidence.theta.length);
    evidence.addTo(twice, table);
    evidence.addTo(twice, table);
    expect([...twice]).toEqual([...tableProfile(evidence.theta, table)].map((value) => 2 * value));
  });

  it('tells tables apart that share some of their counts', () => {
    const other = { ...table, stableEvents: 5 };
    const sum = new Float64Array(evidence.theta.length);
    evidence.addTo(sum, other);
    expect([...sum]).toEqual([...tableProfile(evidence.theta, other)]);
  });

  it('never passes over a crossing: the glance is above the e-value', () => {
    const sum = new Float64Array(evidence.theta.length);
    for (let look = 0; look < 30; look++) {
      evidence.addTo(sum, table);
      const exact = evidence.logE(sum);
      expect(evidence.ceiling(sum)).toBeGreaterThanOrEqual(exact);
      expect(evidence.logE(sum, 3) >= 3).toBe(exact >= 3);
    }
    expect(evidence.logE(sum)).toBeGreaterThan(3);
  });
});

describe('LatencySampler', () => {
  const usual = lognormal(400, 0.8);

  it('draws the distribution’s quantiles, times the load', () => {
    const sampler = new LatencySampler(usual);
    const random = new Random('latency');
    for (const load of [1, 2]) {
      const counts = sampler.histogram(100_000, random, load);
      for (const quantile of [0.5, 0.95]) {
        const drawn = bucketUpperEdge(quantileIndex(counts, quantile), LATENCY_BUCKETS);
        // A bucket is 1.8 % wide; sampling adds less.
        expect(drawn / (load * quantileOf(usual, quantile))).toBeGreaterThan(0.98);
        expect(drawn / (load * quantileOf(usual, quantile))).toBeLessThan(1.03);
      }
    }
  });

  it('knows quantiles', () => {
    expect(quantileOf(usual, 0.5)).toBeCloseTo(400, 6);
    expect(quantileOf(slower(usual, 1.5), 0.95)).toBeCloseTo(600 * Math.exp(0.8 * 1.6448536269514722), 5);
  });
});

describe('simulations', () => {
  it('count a run that never found anything with all that it saw', () => {
    const { found, mean, q80 } = summarise(Float64Array.from([10, 20, 30, Infinity]), 100);
    expect({ found, mean, q80 }).toEqual({ found: 0.75, mean: 40, q80: Infinity });
  });

  it('find a large effect within few requests, and give the bound of method §9.1', () => {
    const setting = { name: 'test', stableRate: 0.01, candidateRate: 0.2, share: 0.05 };
    const detection = simulateTruth({ ...setting, candidateTrials: 5, stableTrials: 95 }, 50);
    expect(detection.bound).toBeCloseTo(8.4, 1);
    expect(detection.byMethod.get('sluice')?.mean).toBeLessThan(30);
  });

  it('roll whole rollouts back for a broken candidate, by both ways of summing', () => {
    const broken = new RolloutSimulation(({ name }) => (name === 'error rate' ? 2 : 0), 0.05);
    const { mixture, continuing } = broken.run(new Random('broken'));
    // At the share of 5 % of the first stage.
    expect(mixture).toBeLessThan(6000);
    expect(continuing).toBeLessThan(6000);
  });

  it('leave a candidate alone that is better everywhere', () => {
    const better = new RolloutSimulation(() => -0.5, 0.05);
    expect(better.run(new Random('better'))).toEqual({ mixture: Infinity, continuing: Infinity });
  });

  it('stop sluice’s test exactly when its e-value reaches 1/α', () => {
    const evidence = new KernelEvidence({ side: 'greater', limit: 0, typicalEffect: 0.4 });
    const worse = {
      candidateEvents: 3,
      candidateTrials: 20,
      stableEvents: 4,
      stableTrials: 380,
      matchedStableEvents: 0,
    };
    const [stop = 0] = firstStops([kernelMethod('sluice', evidence, 0.05)], 100, () => worse);
    const after = (looks: number) => evidence.logE(tableProfile(evidence.theta, worse).map((value) => looks * value));
    expect(after(stop)).toBeGreaterThanOrEqual(Math.log(20));
    expect(after(stop - 1)).toBeLessThan(Math.log(20));
  });
});

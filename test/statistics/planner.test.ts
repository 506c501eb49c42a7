import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { StatisticsError } from '../../src/statistics/errors.js';
import { crossingProbability, natsForPower } from '../../src/statistics/first-passage.js';
import { klBernoulli, klTwoSample } from '../../src/statistics/kullback-leibler.js';
import { expit, logOddsRatioFromRatio, logit } from '../../src/statistics/odds-ratio.js';
import { minimumDetectableRatio, planTest, requestsToGo } from '../../src/statistics/planner.js';
import type { TestScenario } from '../../src/statistics/planner.js';

const rates = fc.double({ min: 0.0005, max: 0.9995, noNaN: true });

describe('log odds ratios', () => {
  it('turn a ratio of rates into an odds ratio and back', () => {
    fc.assert(
      fc.property(rates, fc.double({ min: 0.1, max: 3, noNaN: true }), (rate, ratio) => {
        fc.pre(rate * ratio < 0.9999);
        expect(expit(logit(rate) + logOddsRatioFromRatio(rate, ratio))).toBeCloseTo(rate * ratio, 12);
      }),
    );
  });

  it.each([
    [0, 1.2],
    [1, 0.5],
    [0.6, 1.7],
    [0.5, 2],
    [-0.1, 1.2],
    [Number.NaN, 1.2],
  ])('refuse a rate of %d times %d', (rate, ratio) => {
    expect(() => logOddsRatioFromRatio(rate, ratio)).toThrow(
      expect.objectContaining({ code: 'rate-out-of-range', message: 'rate out of range' }),
    );
  });

  it.each([0, -1, Number.NaN, Infinity])('refuse a ratio of %d', (ratio) => {
    expect(() => logOddsRatioFromRatio(0.01, ratio)).toThrow(StatisticsError);
  });
});

describe('Kullback-Leibler divergences', () => {
  it('are 0 for equal rates and positive otherwise, the ends included', () => {
    fc.assert(
      fc.property(rates, rates, (q, p) => {
        expect(klBernoulli(q, q)).toBe(0);
        expect(klBernoulli(q, p)).toBeGreaterThanOrEqual(0);
      }),
    );
    expect(klBernoulli(0, 0.25)).toBeCloseTo(-Math.log(0.75), 14);
    expect(klBernoulli(1, 0.25)).toBeCloseTo(-Math.log(0.25), 14);
    expect(klBernoulli(0.5, 0)).toBe(Infinity);
    expect(klBernoulli(0, 0)).toBe(0);
    expect(() => klBernoulli(0.5, Number.NaN)).toThrow(StatisticsError);
    expect(() => klBernoulli(1.5, 0.5)).toThrow(expect.objectContaining({ message: 'rate out of range' }));
  });

  it('of two samples are the least over all baselines', () => {
    const theta0 = fc.double({ min: -1, max: 1, noNaN: true });
    fc.assert(
      fc.property(rates, rates, fc.double({ min: 0.01, max: 0.99, noNaN: true }), theta0, rates, (s, c, w, t, any) => {
        const least = klTwoSample(s, c, w, t);
        const elsewhere = w * klBernoulli(c, expit(logit(any) + t)) + (1 - w) * klBernoulli(s, any);
        expect(least).toBeLessThanOrEqual(elsewhere + 1e-12);
      }),
    );
  });

  it('of two samples are 0 exactly at the limit, and bear rates of 0 and 1', () => {
    expect(klTwoSample(0.01, 0.015, 0.05, logOddsRatioFromRatio(0.01, 1.5))).toBeCloseTo(0, 15);
    expect(klTwoSample(0, 0, 0.5, 0.4)).toBeCloseTo(0, 15);
    expect(klTwoSample(1, 1, 0.5, 0.4)).toBeCloseTo(0, 15);
    expect(klTwoSample(0, 0.1, 0.5, 0)).toBeGreaterThan(0);
  });
});

describe('first passage', () => {
  it.each([
    [4, 5.65],
    [5, 6.95],
    [6, 8.23],
    [7, 9.48],
  ])('of %d nats has happened after %d with a chance of 80 %%', (threshold, nats) => {
    expect(natsForPower(threshold, 0.8)).toBeCloseTo(nats, 2);
  });

  it('is inverted by natsForPower', () => {
    const powers = fc.double({ min: 0.01, max: 0.99, noNaN: true });
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 2000, noNaN: true }), powers, (threshold, power) => {
        expect(crossingProbability(natsForPower(threshold, power), threshold)).toBeCloseTo(power, 9);
      }),
    );
  });

  it('is sure without a threshold and impossible without evidence', () => {
    expect(crossingProbability(1, 0)).toBe(1);
    expect(crossingProbability(0, 3)).toBe(0);
    expect(natsForPower(-1, 0.8)).toBe(0);
    expect(() => natsForPower(3, 1)).toThrow(StatisticsError);
    expect(() => crossingProbability(Number.NaN, 3)).toThrow(StatisticsError);
  });
});

describe('planTest', () => {
  const rollback: Omit<TestScenario, 'candidateRate' | 'share'> = {
    side: 'greater',
    stableRate: 0.01,
    limit: 0,
    typicalEffect: 0.4,
    alpha: 0.0125,
    stageShare: 0.3,
  };

  it.each([
    [1.25, [33_600, 43_200, 66_000], [62, 80, 122]],
    [1.5, [8810, 11_500, 17_800], [32, 42, 66]],
    [2, [2540, 3390, 5390], [19, 25, 40]],
    [3, [800, 1110, 1830], [12, 16, 27]],
    [10, [87, 138, 247], [6, 9, 17]],
  ])('gives the method’s table for an error rate times %d', (ratio, requests, extraErrors) => {
    const plans = [0.05, 0.25, 0.5].map((share) => planTest({ ...rollback, candidateRate: 0.01 * ratio, share }));
    for (const [index, plan] of plans.entries()) {
      // The table has two or three digits.
      expect(Math.abs((plan?.candidate.atPower ?? 0) / (requests[index] ?? 0) - 1)).toBeLessThan(0.006);
      expect(Math.round((plan?.candidate.mean ?? 0) * 0.01 * (ratio - 1))).toBe(extraErrors[index]);
    }
  });

  it.each([
    [0.01, 2, 0.05, 40_200],
    [0.01, 1.5, 0.25, 34_700],
    [0.01, 1.25, 0.5, 91_800],
    [0.15, 2, 0.05, 2040],
    [0.15, 1.5, 0.25, 1850],
    [0.15, 1.3, 0.5, 3620],
  ])(
    'gives the method’s requests to promote a rate of %d below ×%d at a share of %d',
    (rate, ratio, share, requests) => {
      const limit = logOddsRatioFromRatio(rate, ratio);
      const plan = planTest({
        side: 'less',
        stableRate: rate,
        candidateRate: rate,
        share,
        limit,
        typicalEffect: limit,
        alpha: 0.05,
      });
      expect(Number(plan?.total.atPower.toPrecision(3))).toBe(requests);
    },
  );

  it('says never when the effect points away or there is none', () => {
    expect(planTest({ ...rollback, candidateRate: 0.01, share: 0.05 })).toBeNull();
    expect(planTest({ ...rollback, candidateRate: 0.008, share: 0.05 })).toBeNull();
    expect(planTest({ ...rollback, candidateRate: 0.0100001, share: 0.05 })).toBeNull();
    expect(planTest({ ...rollback, side: 'less', candidateRate: 0.02, share: 0.05 })).toBeNull();
  });

  it('grows in proportion to the design effect', () => {
    const plain = planTest({ ...rollback, candidateRate: 0.02, share: 0.05 });
    const sticky = planTest({ ...rollback, candidateRate: 0.02, share: 0.05, designEffect: 3 });
    expect((sticky?.total.atPower ?? 0) / (plain?.total.atPower ?? 1)).toBeCloseTo(3, 12);
  });

  it.each([{ stableRate: 0 }, { candidateRate: 1 }, { share: 0 }, { share: 1 }, { alpha: 0 }, { limit: Number.NaN }])(
    'refuses %o',
    (change) => {
      expect(() => planTest({ ...rollback, candidateRate: 0.02, share: 0.05, ...change })).toThrow(StatisticsError);
    },
  );
});

describe('minimumDetectableRatio', () => {
  const scenario = {
    stableRate: 0.01,
    share: 0.05,
    limit: 0,
    typicalEffect: 0.4,
    alpha: 0.0125,
    stageShare: 0.3,
  };

  it.each([
    [1e4, 3.7],
    [3e4, 2.4],
    [1e5, 1.7],
    [1e6, 1.2],
  ])('in %d requests is the method’s ×%d', (requests, ratio) => {
    expect(minimumDetectableRatio(scenario, requests)).toBeCloseTo(ratio, 1);
  });

  it('is just seen in the requests that it was found for', () => {
    const ratio = minimumDetectableRatio(scenario, 50_000) ?? Number.NaN;
    const plan = planTest({ ...scenario, side: 'greater', candidateRate: 0.01 * ratio });
    expect((plan?.total.atPower ?? 0) / 50_000).toBeCloseTo(1, 4);
  });

  it('is null where nothing is seen', () => {
    expect(minimumDetectableRatio(scenario, 1)).toBeNull();
  });
});

describe('requestsToGo', () => {
  const scenario: TestScenario = {
    side: 'greater',
    stableRate: 0.01,
    candidateRate: 0.02,
    share: 0.05,
    limit: 0,
    typicalEffect: 0.4,
    alpha: 0.05,
  };

  it('falls to 0 as the evidence reaches the bar', () => {
    const information = klTwoSample(0.01, 0.02, 0.05, 0);
    expect(requestsToGo(scenario, 0)).toBeCloseTo(Math.log(20) / information, 6);
    expect(requestsToGo(scenario, 1)).toBeCloseTo((Math.log(20) - 1) / information, 6);
    expect(requestsToGo(scenario, 3)).toBe(0);
  });

  it('is never where the effect points away', () => {
    expect(requestsToGo({ ...scenario, candidateRate: 0.009 }, 1)).toBeNull();
    expect(() => requestsToGo(scenario, Number.NaN)).toThrow(StatisticsError);
  });
});

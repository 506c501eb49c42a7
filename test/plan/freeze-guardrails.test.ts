import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GUARDRAILS_TO_COME } from '../../src/plan/availability.js';
import { meteringFor } from '../../src/plan/metering.js';
import type { Guardrail } from '../../src/plan/types.js';
import { ALL_OFF, planWith, problemsWith } from './context.js';

function guardrail(name: string, guardrails: object): Guardrail | undefined {
  return planWith({ guardrails }).guardrails.find((one) => one.name === name);
}

function problemsOrNone(guardrails: object): readonly string[] {
  try {
    planWith({ guardrails });
    return [];
  } catch (error) {
    return error instanceof Error ? [error.message] : [String(error)];
  }
}

/** The rest of the table is in guardrail-table.test.ts. */
const THREE = { ...ALL_OFF, error_rate: {}, latency_p50: {}, latency_p95: {} };

describe('guardrails', () => {
  it('have the limits, weights and margins of the table', () => {
    expect(planWith({ guardrails: THREE }).guardrails).toEqual([
      {
        kind: 'rate',
        name: 'error_rate',
        action: 'rollback',
        weight: 0.5,
        limit: 1.05,
        twoSided: false,
        typicalEffect: 0.4,
        promote: { ratios: { early: 2, middle: 1.5, late: 1.25 }, absolute: 0.005 },
      },
      {
        kind: 'quantile',
        name: 'latency_p50',
        action: 'rollback',
        weight: 0.2,
        signal: 'latency',
        quantile: 0.5,
        limit: 1.2,
        histogram: { gamma: 1.2 ** 0.1, xMin: 0.001 },
        limitShift: 10,
        typicalEffect: 0.4,
        promote: { shifts: { early: 17, middle: 13, late: 10 } },
      },
      {
        kind: 'quantile',
        name: 'latency_p95',
        action: 'rollback',
        weight: 0.3,
        signal: 'latency',
        quantile: 0.95,
        limit: 1.2,
        histogram: { gamma: 1.2 ** 0.1, xMin: 0.001 },
        limitShift: 10,
        typicalEffect: 0.4,
        promote: { shifts: { early: 17, middle: 13, late: 10 } },
      },
    ]);
  });

  it('can be switched off; the weights of the others are scaled', () => {
    const { guardrails } = planWith({ guardrails: { ...THREE, latency_p50: 'off' } });
    expect(guardrails.map(({ name, weight }) => [name, weight])).toEqual([
      ['error_rate', 0.25 / 0.4],
      ['latency_p95', 0.15 / 0.4],
    ]);
  });

  it('have weights within the family of their action', () => {
    const { guardrails } = planWith({
      guardrails: { ...THREE, latency_p50: { action: 'hold' }, latency_p95: { action: 'flag', weight: 7 } },
    });
    expect(guardrails.map(({ action, weight }) => [action, weight])).toEqual([
      ['rollback', 1],
      ['hold', 1],
      ['flag', 1],
    ]);
  });

  it('gate promotion only when they roll back, and not when the plan says so', () => {
    expect(guardrail('latency_p95', { latency_p95: { action: 'hold' } })).toMatchObject({ promote: null });
    expect(guardrail('error_rate', { error_rate: { promote: 'off' } })).toMatchObject({
      action: 'rollback',
      promote: null,
    });
  });

  it('take an absolute margin in points, and ratios by step', () => {
    expect(guardrail('error_rate', { error_rate: { margin: '+2 points' } })).toMatchObject({
      promote: { ratios: { early: 2, middle: 1.5, late: 1.25 }, absolute: 0.02 },
    });
    expect(guardrail('error_rate', { error_rate: { promote: { late: 1.1 } } })).toMatchObject({
      promote: { ratios: { early: 2, middle: 1.5, late: 1.1 }, absolute: 0.005 },
    });
  });

  it('cut histograms so that the limit is whole buckets', () => {
    for (const limit of [1.05, 1.1, 1.2, 1.5, 2, 10]) {
      const one = guardrail('latency_p95', { latency_p95: { limit } });
      if (one?.kind !== 'quantile') throw new Error('no quantile guardrail');
      expect(one.histogram.gamma ** one.limitShift).toBeCloseTo(limit, 10);
      expect(one.promote?.shifts).toEqual({
        early: Math.round(1.7 * one.limitShift),
        middle: Math.round(1.3 * one.limitShift),
        late: one.limitShift,
      });
    }
    expect(guardrail('latency_p95', { latency_p95: { limit: 1.5 } })).toMatchObject({ limitShift: 22 });
  });

  it('take latency margins of whole buckets and offer the nearest', () => {
    expect(guardrail('latency_p95', { latency_p95: { promote: { early: 1.3634 } } })).toMatchObject({
      promote: { shifts: { early: 17, middle: 13, late: 10 } },
    });
    expect(problemsWith({ guardrails: { latency_p95: { promote: { early: 1.36 } } } })).toEqual([
      'guardrails.latency_p95.promote.early is 1.36: no whole number of buckets of the histogram. The nearest are 1.3387 and 1.3634',
    ]);
  });

  it('take each ratio they offer', () => {
    fc.assert(
      fc.property(fc.double({ min: 1.001, max: 3, noNaN: true }), fc.constantFrom(1.05, 1.2, 1.5), (ratio, limit) => {
        const [problem = ''] = problemsOrNone({ latency_p50: { limit, promote: { late: ratio } } });
        for (const offered of problem.match(/[\d.]+ and [\d.]+$/)?.[0].split(' and ') ?? [])
          expect(problemsOrNone({ latency_p50: { limit, promote: { late: Number(offered) } } })).toEqual([]);
      }),
    );
  });

  it('are all there but those that compare answers', () => {
    expect(GUARDRAILS_TO_COME).toEqual(['divergence', 'judge']);
  });

  it.each(GUARDRAILS_TO_COME)('%s is to come', (name) => {
    expect(problemsWith({ guardrails: { [name]: {} } })).toEqual([
      `guardrails.${name}: not available in this version. Leave it out`,
    ]);
  });

  it.each<[object, string]>([
    [{ eror_rate: {} }, 'guardrails.eror_rate: unknown key. Did you mean "error_rate"?'],
    [{ error_rate: 'of' }, 'guardrails.error_rate is "of": not off, or a mapping such as { limit: 1.2 }'],
    [{ error_rate: { limit: 0.9 } }, 'guardrails.error_rate.limit is 0.9: not a number from 1 to 10'],
    [
      { error_rate: { margin: '2%' } },
      'guardrails.error_rate.margin is "2%": not a difference in percentage points. Write it such as "+0.5 points"',
    ],
    [
      { error_rate: { margin: 2 } },
      'guardrails.error_rate.margin is 2: a margin needs the word points. Write "+2 points" for 2 percentage points',
    ],
    [
      { error_rate: { action: 'rolback' } },
      'guardrails.error_rate.action is "rolback": unknown. Did you mean "rollback"?',
    ],
    [
      { error_rate: { limit: 1.5, promote: { late: 1.25 } } },
      'guardrails.error_rate.promote.late is 1.25: below the limit 1.5, beyond which the candidate is rolled back. Write at least 1.5',
    ],
    [
      { error_rate: { action: 'hold', margin: '+2 points' } },
      'guardrails.error_rate.margin: without meaning, since a guardrail with action hold never gates. Leave it out, or write action: rollback',
    ],
    [
      { latency_p50: { margin: '+2 points' } },
      'guardrails.latency_p50.margin: unknown key. A latency has no margin in points; set ratios under "promote"',
    ],
    [{ latency_p50: { limit: 1 } }, 'guardrails.latency_p50.limit is 1: not a number from 1.01 to 10'],
    [
      { ...ALL_OFF, latency_p95: { action: 'flag' } },
      'guardrails: none is left that rolls back. Leave at least one on with action: rollback, such as error_rate',
    ],
  ])('%j is refused', (guardrails, problem) => {
    expect(problemsWith({ guardrails })).toEqual([problem]);
  });
});

describe('metering', () => {
  it('is what the guardrails of the plan compare', () => {
    const plan = planWith({
      stages: [{ kind: 'flip', for: '60s' }],
      guardrails: { ...THREE, latency_p50: 'off' },
      requestTimeout: '5s',
    });
    const [stage] = plan.stages;
    if (stage === undefined) throw new Error('no stage');
    expect(meteringFor(plan, stage, { latency_p95: 700, latency_p50: 3 })).toEqual({
      intervalMs: 1000,
      warmupMs: 10_000,
      requestTimeoutMs: 5000,
      feedbackHorizonMs: 10_000,
      histograms: { latency_p95: { gamma: 1.2 ** 0.1, xMin: 0.001, thresholdIndex: 700 } },
      strata: ['paired', 'served'],
    });
    expect(meteringFor(plan, stage, {}).histograms['latency_p95']?.thresholdIndex).toBeNull();
  });
});

import { describe, expect, it } from 'vitest';
import { createAssessment } from '../../../src/statistics/assessment/assessment.js';
import type { Assessment } from '../../../src/statistics/assessment/assessment.js';
import { errorRate, latency, planWith } from './plan-fixture.js';
import { intervalOf, recordOf } from './records.js';

function stateOf(assessment: Assessment, name: 'error_rate' | 'latency_p95') {
  const state = assessment.snapshot().guardrails[name];
  if (!state || !('pools' in state) || (state.kind !== 'rate' && state.kind !== 'quantile')) {
    throw new Error(`no state of ${name}`);
  }
  return state;
}

/** ln E after the records, all of which must have become evidence. */
function logBreachOf(assessment: Assessment): number {
  const state = stateOf(assessment, 'error_rate');
  expect(state.pools).toEqual([]);
  return state.segments[0]?.breach[10] ?? Number.NaN;
}

describe('pooling of quiet intervals', () => {
  it('waits until both variants have a trial and together 20', () => {
    const assessment = createAssessment(planWith(errorRate()), {});
    assessment.absorb([recordOf('stable', { second: 0 }, { trials: 30, errors: 1 })]);
    expect(stateOf(assessment, 'error_rate').segments).toEqual([]);
    assessment.absorb([recordOf('candidate', { second: 1 }, { trials: 1, errors: 1 })]);
    expect(stateOf(assessment, 'error_rate').pools).toEqual([]);
    assessment.absorb(intervalOf({ second: 2 }, { trials: 10 }, { trials: 9 }));
    expect(stateOf(assessment, 'error_rate').pools).toHaveLength(1);
    assessment.absorb(intervalOf({ second: 3 }, { trials: 1 }, { trials: 0 }));
    expect(stateOf(assessment, 'error_rate').pools).toEqual([]);
  });

  it('loses nothing: many small intervals are the same table as one large', () => {
    const small = createAssessment(planWith(errorRate()), {});
    for (let second = 0; second < 10; second++) {
      small.absorb(intervalOf({ second }, { trials: 1 }, { trials: 1, errors: second < 3 ? 1 : 0 }));
    }
    const large = createAssessment(planWith(errorRate()), {});
    large.absorb(intervalOf({ second: 9 }, { trials: 10 }, { trials: 10, errors: 3 }));
    expect(logBreachOf(small)).toBe(logBreachOf(large));
    expect(logBreachOf(small)).toBeGreaterThan(0.1);
  });

  it('never sums across a generation, a stratum or the end of a warm-up', () => {
    const assessment = createAssessment(planWith(errorRate()), {});
    const ten = { trials: 5 };
    assessment.absorb(intervalOf({ second: 0 }, ten, ten, { warmup: true }));
    assessment.absorb(intervalOf({ second: 1 }, ten, ten));
    assessment.absorb(intervalOf({ second: 2 }, ten, ten, { stratum: 'long' }));
    assessment.absorb(intervalOf({ second: 3, generation: 2 }, ten, ten));
    const { pools, segments } = stateOf(assessment, 'error_rate');
    expect(segments).toEqual([]);
    expect(pools.map(({ place }) => [place.generation, place.stratum, place.warmup])).toEqual([
      [1, 'long', false],
      [1, 'served', false],
      [1, 'served', true],
      [2, 'served', false],
    ]);
  });

  it('makes nothing of a stratum that one variant serves alone', () => {
    const assessment = createAssessment(planWith(errorRate()), {});
    for (let second = 0; second < 50; second++) {
      assessment.absorb([recordOf('stable', { second }, { trials: 100, errors: 2 })]);
    }
    expect(stateOf(assessment, 'error_rate').segments).toEqual([]);
  });

  it('keeps the threshold that was fixed when the pool began', () => {
    const assessment = createAssessment(planWith(latency(0.95)), {
      latency_p95: { gamma: 1.2 ** 0.1, xMin: 0.001, counts: { 700: 1000 } },
    });
    // Stable becomes twice as slow while the pool is open; the candidate answers only then.
    for (let second = 0; second < 30; second++) {
      assessment.absorb([recordOf('stable', { second }, { trials: 400, latency: { 738: 400 } })]);
    }
    const before = stateOf(assessment, 'latency_p95');
    if (before.kind !== 'quantile') throw new Error('no quantile state');
    expect(before.pools.map(({ fixed }) => fixed)).toEqual([[700, 700]]);
    assessment.absorb([recordOf('candidate', { second: 30 }, { trials: 10, latency: { 738: 10 } })]);
    assessment.absorb(intervalOf({ second: 31 }, { trials: 1 }, { trials: 1 }));
    const after = stateOf(assessment, 'latency_p95');
    if (after.kind !== 'quantile') throw new Error('no quantile state');
    expect(after.pools.map(({ fixed }) => fixed)).toEqual([[738, 738]]);
  });
});

import { describe, expect, it } from 'vitest';
import { createAssessment } from '../../../src/statistics/assessment/assessment.js';
import { abortRate, errorRate, fivePlan, planWith, refusalRate } from './plan-fixture.js';
import { recordOf } from './records.js';
import { runStages, statusOf } from './run-stages.js';
import { HEALTHY } from './simulate-evidence.js';
import type { Behaviour } from './simulate-evidence.js';

const plan = fivePlan({
  guardrails: [errorRate({ weight: 1 }), refusalRate({ weight: 0.7 }), abortRate({ weight: 0.3 })],
});

const RAMP = ['canary-5', 'canary-25', 'canary-50'];

function rollout(seed: number, stable: Partial<Behaviour>, candidate: Partial<Behaviour>, stages = RAMP) {
  const traffic = {
    requestsPerSecond: 300,
    stable: { ...HEALTHY, ...stable },
    candidate: { ...HEALTHY, ...candidate },
  };
  return runStages(
    plan,
    seed,
    stages.map((stage) => ({ stage, seconds: 20, traffic })),
  );
}

const SEEDS = Array.from({ length: 10 }, (_, seed) => seed);

describe.each([
  ['refusal_rate', 'refusalRate'],
  ['abort_rate', 'abortRate'],
] as const)('%s, both ways', (name, field) => {
  it('is not held when both variants are alike', () => {
    const held = Array.from({ length: 20 }, (_, seed) => rollout(seed, { [field]: 0.02 }, { [field]: 0.02 })).filter(
      ({ crossings }) => crossings.hold !== null,
    );
    // 3 of 20 would be no evidence against 5 %.
    expect(held.length).toBeLessThanOrEqual(3);
  });

  it.each([
    ['a rise from 2 % to 8 %', 0.02, 0.08],
    ['a drop from 2 % to 0.2 %', 0.02, 0.002],
  ])('is held for a person at %s, and neither rolls back nor gates', (_, stable, candidate) => {
    for (const seed of SEEDS) {
      const assessment = rollout(seed, { [field]: stable }, { [field]: candidate });
      expect(assessment.crossings).toMatchObject({ rollback: null, hold: { guardrails: [name], named: true } });
      const status = statusOf(assessment, name, 'canary-50');
      expect(status).toMatchObject({ verdict: 'breached', action: 'hold', logE: { safe: null }, needs: null });
      const odds = (candidate * (1 - stable)) / (stable * (1 - candidate));
      const [low, high] = status.interval;
      expect(low ?? 0).toBeLessThanOrEqual(odds);
      expect(high ?? Infinity).toBeGreaterThanOrEqual(odds);
    }
  });
});

describe('aborts', () => {
  it('are only shown where answers are mirrored: nobody waits for those', () => {
    for (const stage of ['shadow', 'flip']) {
      const assessment = rollout(0, { abortRate: 0.2 }, { abortRate: 0 }, [stage]);
      expect(assessment.crossings.hold).toBeNull();
      const status = statusOf(assessment, 'abort_rate', stage);
      expect(status.logE.breach).toBeCloseTo(0, 12);
      expect(status.stable).toBeGreaterThan(0.1);
      expect(status.why).toContain('only shown: nobody waits for a mirrored answer');
    }
    // Refusals of mirrored answers are as real as any.
    expect(rollout(0, { refusalRate: 0.02 }, { refusalRate: 0.2 }, ['shadow']).crossings.hold).toMatchObject({
      guardrails: ['refusal_rate'],
      stage: 'shadow',
    });
  });

  it('are trials without event of the error rate', () => {
    const assessment = createAssessment(planWith(errorRate()), {});
    assessment.absorb([
      recordOf('stable', { second: 0 }, { trials: 100 }),
      recordOf('candidate', { second: 0 }, { trials: 100 }, { aborted: 100, completed: 0 }),
    ]);
    expect(statusOf(assessment, 'error_rate', 'canary-50')).toMatchObject({ candidate: 0, n: { candidate: 100 } });
  });
});

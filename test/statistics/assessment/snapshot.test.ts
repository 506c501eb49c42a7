import { describe, expect, it } from 'vitest';
import { stageName } from '../../../src/plan/ids.js';
import { createAssessment, restoreAssessment } from '../../../src/statistics/assessment/assessment.js';
import { errorRate, fivePlan, latency, refusalRate } from './plan-fixture.js';
import { EvidenceSimulator, HEALTHY } from './simulate-evidence.js';

const plan = fivePlan({
  guardrails: [errorRate(), latency(0.5), latency(0.95), refusalRate()],
});
const traffic = {
  requestsPerSecond: 15,
  stable: { ...HEALTHY, refusalRate: 0.05 },
  candidate: { ...HEALTHY, errorRate: 0.2, refusalRate: 0.3 },
  replicas: 2,
};

describe('a snapshot', () => {
  it('survives JSON and goes on to the same digits', () => {
    const simulator = new EvidenceSimulator(plan, 7);
    const intervals = ['shadow', 'canary-5', 'canary-50'].flatMap((stage) => [...simulator.stage(stage, 25, traffic)]);
    const whole = createAssessment(plan, {});
    let restored = createAssessment(plan, {});
    for (const records of intervals) {
      whole.absorb(records);
      restored.absorb(records);
      restored = restoreAssessment(plan, JSON.parse(JSON.stringify(restored.snapshot())));
    }
    expect(restored.snapshot()).toEqual(whole.snapshot());
    expect(whole.crossings.rollback).not.toBeNull();
    expect(whole.crossings.hold).not.toBeNull();
    for (const { name } of plan.stages) {
      const options = { promoteFromGeneration: 0 };
      expect(restored.read(name, options)).toEqual(whole.read(name, options));
    }
    expect(restored.closedThrough).toBe(whole.closedThrough);
  });

  it('shares nothing with the assessment that it was taken of', () => {
    const simulator = new EvidenceSimulator(plan, 8);
    const assessment = createAssessment(plan, {});
    const [first = [], second = []] = [...simulator.stage('canary-50', 2, traffic)];
    assessment.absorb(first);
    const snapshot = assessment.snapshot();
    const before = structuredClone(snapshot);
    const restored = restoreAssessment(plan, snapshot);
    assessment.absorb(second);
    restored.absorb(second);
    expect(snapshot).toEqual(before);
    expect(restored.read(stageName('canary-50'), { promoteFromGeneration: 0 }).requests.stable).toBeGreaterThan(0);
  });

  it('is refused when it is none, or of another plan or version', () => {
    const good = createAssessment(plan, {}).snapshot();
    const bad: readonly unknown[] = [
      null,
      'snapshot',
      [],
      { ...good, version: good.version + 1 },
      { ...good, plan: 'another' },
      { ...good, stages: [] },
      { ...good, closedThrough: null },
      { ...good, guardrails: {} },
      { ...good, guardrails: { ...good.guardrails, error_rate: { kind: 'quantile' } } },
      { ...good, closedThrough: Number.NaN },
    ];
    for (const value of bad) {
      expect(() => restoreAssessment(plan, value)).toThrow(/no assessment snapshot .* rebuild it from the ledger/);
    }
  });
});

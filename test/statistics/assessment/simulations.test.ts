import { describe, expect, it } from 'vitest';
import type { Crossing } from '../../../src/evidence/look.js';
import type { Plan } from '../../../src/plan/types.js';
import { createAssessment } from '../../../src/statistics/assessment/assessment.js';
import type { Assessment } from '../../../src/statistics/assessment/assessment.js';
import { demoPlan, fivePlan } from './plan-fixture.js';
import { EvidenceSimulator, HEALTHY } from './simulate-evidence.js';
import type { Behaviour } from './simulate-evidence.js';

interface Step {
  readonly stage: string;
  readonly seconds: number;
  /** Default healthy. */
  readonly stable?: Behaviour;
  readonly candidate: Behaviour;
}

interface Run {
  readonly assessment: Assessment;
  readonly crossing: Crossing | null;
  /** Seconds of the last step until it ended. */
  readonly seconds: number;
}

const WARMUP_SECONDS = 2;
const RAMP = ['shadow', 'canary-5', 'canary-25', 'canary-50', 'flip'];

function ramp(candidate: Behaviour, seconds: number): Step[] {
  return RAMP.map((stage) => ({ stage, seconds, candidate }));
}

/** Runs the steps until the rollback family crosses, or `until` says so. */
function rollout(
  plan: Plan,
  seed: number,
  requestsPerSecond: number,
  steps: readonly Step[],
  until: (assessment: Assessment) => boolean = () => false,
): Run {
  const simulator = new EvidenceSimulator(plan, seed);
  const assessment = createAssessment(plan, simulator.seeds(HEALTHY, 1000));
  let seconds = 0;
  for (const { stage, seconds: length, candidate, stable = HEALTHY } of steps) {
    seconds = 0;
    for (const records of simulator.stage(stage, length, { requestsPerSecond, stable, candidate })) {
      assessment.absorb(records);
      seconds++;
      const crossing = assessment.crossings.rollback;
      if (crossing || until(assessment)) return { assessment, crossing, seconds };
    }
  }
  return { assessment, crossing: null, seconds };
}

function runs(count: number, one: (seed: number) => Run): Run[] {
  return Array.from({ length: count }, (_, seed) => one(seed));
}

/** The largest count that is still no evidence, at 99 %, of a probability above `probability`. */
function binomialLimit(count: number, probability: number): number {
  let cumulative = 0;
  let term = (1 - probability) ** count;
  for (let k = 0; k < count; k++) {
    cumulative += term;
    if (cumulative >= 0.99) return k;
    term *= ((count - k) / (k + 1)) * (probability / (1 - probability));
  }
  return count;
}

describe('false rollbacks of whole five-stage rollouts, looked at each second', { timeout: 60_000 }, () => {
  // The service itself gets worse from stage to stage, which fools every test that pools stages.
  const drift = [
    { stage: 'shadow', errorRate: 0.01, medianMs: 400 },
    { stage: 'canary-5', errorRate: 0.015, medianMs: 500 },
    { stage: 'canary-25', errorRate: 0.02, medianMs: 600 },
    { stage: 'canary-50', errorRate: 0.03, medianMs: 700 },
    { stage: 'flip', errorRate: 0.02, medianMs: 400 },
  ];
  it.each([
    ['nothing changed', 1, 1],
    ['every guardrail is exactly at its limit', 1.05, 1.2],
  ])('stay below 5 % when %s', (_, odds, times) => {
    const steps = drift.map(({ stage, errorRate: p, medianMs }) => {
      const stable = { ...HEALTHY, errorRate: p, medianMs };
      return {
        stage,
        seconds: 10,
        stable,
        candidate: { ...stable, errorRate: (p * odds) / (1 - p + p * odds), medianMs: medianMs * times },
      };
    });
    const count = 150;
    const all = runs(count, (seed) => rollout(fivePlan(), seed, 80, steps));
    const rolledBack = all.filter(({ crossing }) => crossing !== null).length;
    expect(rolledBack).toBeLessThanOrEqual(binomialLimit(count, 0.05));
  });
});

describe('the demo scenarios at 300 requests a second', { timeout: 60_000 }, () => {
  const plan = demoPlan();
  const stages = (candidate: Behaviour, last = 14): Step[] =>
    ramp(candidate, 14)
      .slice(0, 4)
      .map((step) => (step.stage === 'canary-50' ? { ...step, seconds: last } : step));

  it('healthy: promoted from 50 % within 34 s of usable evidence, never rolled back', () => {
    const all = runs(20, (seed) =>
      rollout(plan, seed, 300, stages(HEALTHY, 36), (assessment) => {
        const canary = plan.stages[3];
        return canary !== undefined && assessment.read(canary.name, { promoteFromGeneration: 4 }).promote.open;
      }),
    );
    expect(all.filter(({ crossing }) => crossing !== null)).toEqual([]);
    const slowest = Math.max(...all.map(({ seconds }) => seconds - WARMUP_SECONDS));
    expect(slowest).toBeLessThan(34);
  });

  it('slow, p95 × 1.6: rolled back in shadow on latency_p95 after about 4 s of usable evidence', () => {
    const all = runs(40, (seed) => rollout(plan, seed, 300, stages({ ...HEALTHY, tail: 1.6 })));
    for (const { crossing, seconds } of all) {
      expect(crossing).toMatchObject({ stage: 'shadow', guardrails: ['latency_p95'], named: true });
      expect(seconds - WARMUP_SECONDS).toBeLessThanOrEqual(5);
    }
  });

  it('errors 1 → 5 %: rolled back in shadow on error_rate within 6 s', () => {
    const all = runs(40, (seed) => rollout(plan, seed, 300, stages({ ...HEALTHY, errorRate: 0.05 })));
    for (const { crossing, seconds } of all) {
      expect(crossing).toMatchObject({ stage: 'shadow', guardrails: ['error_rate'], named: true });
      expect(seconds).toBeLessThanOrEqual(6);
    }
  });

  it('errors 1 → 20 %, only where it serves users: rolled back at 5 %, nearly always within 6 s', () => {
    const all = runs(40, (seed) =>
      rollout(plan, seed, 300, [
        { stage: 'shadow', seconds: 14, candidate: HEALTHY },
        { stage: 'canary-5', seconds: 14, candidate: { ...HEALTHY, errorRate: 0.2 } },
      ]),
    );
    for (const { crossing } of all) expect(crossing).toMatchObject({ stage: 'canary-5', guardrails: ['error_rate'] });
    expect(all.filter(({ seconds }) => seconds > 6).length).toBeLessThanOrEqual(2);
  });

  it('better, then worse: half the errors up to 25 %, 5 % at 50 %, is rolled back at 50 % within 11 s', () => {
    const better = { ...HEALTHY, errorRate: 0.005 };
    const all = runs(40, (seed) =>
      rollout(plan, seed, 300, [
        ...stages(better).slice(0, 3),
        { stage: 'canary-50', seconds: 14, candidate: { ...HEALTHY, errorRate: 0.05 } },
      ]),
    );
    for (const { crossing, seconds } of all) {
      expect(crossing).toMatchObject({ stage: 'canary-50', guardrails: ['error_rate'], named: true });
      expect(seconds).toBeLessThanOrEqual(11);
    }
  });
});

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
  for (const { stage, seconds: length, candidate } of steps) {
    seconds = 0;
    for (const records of simulator.stage(stage, length, { requestsPerSecond, stable: HEALTHY, candidate })) {
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

describe('false rollbacks of whole five-stage rollouts, looked at each second', () => {
  // Odds 1.05 of 1 % and 1.2 times the latency: every guardrail exactly at its limit.
  const atLimit = { ...HEALTHY, errorRate: (0.01 * 1.05) / (1 + 0.01 * 0.05), medianMs: HEALTHY.medianMs * 1.2 };
  it.each([
    ['nothing changed', HEALTHY],
    ['every guardrail is at its limit', atLimit],
  ])('stay below 5 %% when %s', { timeout: 60_000 }, (_, candidate) => {
    const count = 150;
    const all = runs(count, (seed) => rollout(fivePlan(), seed, 80, ramp(candidate, 10)));
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

import { describe, expect, it } from 'vitest';
import { stageName } from '../../../src/plan/ids.js';
import { createAssessment } from '../../../src/statistics/assessment/assessment.js';
import { logEValue } from '../../../src/statistics/e-process.js';
import { EvidenceGridBuilder } from '../../../src/statistics/evidence-grid.js';
import { tableProfile } from '../../../src/statistics/table-profile.js';
import { cacheHitRate, errorRate, fivePlan, planWith } from './plan-fixture.js';
import { intervalOf, recordOf } from './records.js';
import { runStages, statusOf } from './run-stages.js';
import type { StageRun } from './run-stages.js';
import { HEALTHY } from './simulate-evidence.js';

const plan = fivePlan({ guardrails: [errorRate({ weight: 0.5 }), cacheHitRate({ weight: 0.5 })] });

function stage(name: string, candidateMisses: number, seconds = 14): StageRun {
  const stable = { ...HEALTHY, missRate: 0.3 };
  const candidate = { ...HEALTHY, missRate: candidateMisses };
  return { stage: name, seconds, traffic: { requestsPerSecond: 300, stable, candidate } };
}

/** Records of one interval with misses among 100 requests of each variant. */
function misses(second: number, stable: number, candidate: number, overrides = {}) {
  const place = { stage: 'canary-50', second };
  return [
    recordOf('stable', place, { trials: 100 }, { cacheMiss: { trials: 100, events: stable }, ...overrides }),
    recordOf('candidate', place, { trials: 100 }, { cacheMiss: { trials: 100, events: candidate }, ...overrides }),
  ];
}

describe('cache hits', () => {
  it('are only shown where a cold cache is no fault of the candidate: healthy at 25 %, never an alarm before', () => {
    for (let seed = 0; seed < 10; seed++) {
      // A small share has a cold cache because it is small: three times the misses at 5 %, none too many later.
      const assessment = runStages(plan, seed, [stage('shadow', 0.9), stage('canary-5', 0.9), stage('canary-25', 0.3)]);
      expect(assessment.crossings.rollback).toBeNull();
      const small = statusOf(assessment, 'cache_hit_rate', 'canary-5');
      expect(small.candidate).toBeGreaterThan(0.8);
      expect(small).toMatchObject({ verdict: 'undecided', interval: [null, null] });
      expect(small.why).toContain(
        "only shown: candidate's share of 5% is below 25%, and a small share has a cold cache",
      );
    }
  });

  it('roll a broken cache back at 25 %, where the variants are compared first', () => {
    for (let seed = 0; seed < 10; seed++) {
      const steps = ['shadow', 'canary-5', 'canary-25'].map((name) => stage(name, 0.9));
      expect(runStages(plan, seed, steps).crossings.rollback).toMatchObject({
        stage: 'canary-25',
        guardrails: ['cache_hit_rate'],
        named: true,
      });
    }
  });

  it.each([
    ['shadow', 'only shown: no-control, the candidate serves nobody in this stage'],
    ['flip', 'only shown: no-control, stable serves nobody in this stage'],
  ])('have no control in %s, and say so', (name, why) => {
    const status = statusOf(runStages(plan, 0, [stage(name, 0.9)]), 'cache_hit_rate', name);
    expect(status.why).toContain(why);
    expect(status.n.candidate).toBeGreaterThan(100);
    expect(status.logE.breach).toBeCloseTo(0, 12);
  });

  it('wait for stable’s own rate, and use only what comes later, around the limit that it gives', () => {
    const assessment = createAssessment(planWith(cacheHitRate()), {});
    for (let second = 0; second < 9; second++) assessment.absorb(misses(second, 30, 90));
    const waiting = statusOf(assessment, 'cache_hit_rate', 'canary-50');
    expect(waiting.why).toContain('waits for 1,000 requests of stable to fix its limit (900 so far)');
    expect(waiting.logE.breach).toBeCloseTo(0, 12);
    // The tenth completes the baseline, 30 %, and is evidence of nothing.
    assessment.absorb(misses(9, 30, 90));
    expect(statusOf(assessment, 'cache_hit_rate', 'canary-50').logE.breach).toBeCloseTo(0, 12);
    assessment.absorb(misses(10, 30, 42));
    const builder = new EvidenceGridBuilder();
    const test = builder.greater(Math.log(0.309 / 0.691) - Math.log(0.3 / 0.7), 0.2);
    const table = { candidateEvents: 42, candidateTrials: 100, stableEvents: 30, stableTrials: 100 };
    const logE = logEValue(tableProfile(builder.build().theta, table), test);
    const share = 0.2 + 0.7;
    expect(statusOf(assessment, 'cache_hit_rate', 'canary-50').logE.breach).toBeCloseTo(
      Math.log(share * Math.exp(logE) + (1 - share)),
      10,
    );
  });

  it('leave warm-up out: a unit that has just moved is cold', () => {
    const assessment = createAssessment(planWith(cacheHitRate()), {});
    for (let second = 0; second < 20; second++) assessment.absorb(misses(second, 30, 90, { warmup: true }));
    const status = statusOf(assessment, 'cache_hit_rate', 'canary-50');
    expect(status.n).toEqual({ stable: 0, candidate: 0 });
    expect(status.why).toContain('(0 so far)');
  });

  it('gate only where the plan says, and only where they are compared', () => {
    const promote = { ratios: { early: 1.2, middle: 1.2, late: 1.1 }, absolute: 0 };
    const gating = fivePlan({ guardrails: [errorRate({ weight: 0.5 }), cacheHitRate({ weight: 0.5, promote })] });
    const assessment = createAssessment(gating, {});
    const waitingIn = (name: string) =>
      assessment.read(stageName(name), { promoteFromGeneration: 0 }).promote.waiting.map(({ guardrail }) => guardrail);
    expect(waitingIn('canary-50')).toContain('cache_hit_rate');
    for (const name of ['shadow', 'canary-5', 'flip']) expect(waitingIn(name)).not.toContain('cache_hit_rate');
    expect(statusOf(assessment, 'cache_hit_rate', 'canary-5').logE.safe).toBeNull();
    // 300 requests a second at 30 % misses, half each: safe within a minute.
    const promoted = runStages(gating, 3, [stage('canary-25', 0.3), stage('canary-50', 0.3, 60)]);
    expect(statusOf(promoted, 'cache_hit_rate', 'canary-50').verdict).toBe('safe');
  });

  it('have a limit below 1 however many miss', () => {
    const assessment = createAssessment(planWith(cacheHitRate({ limit: 2 })), {});
    for (let second = 0; second < 12; second++) assessment.absorb(misses(second, 97, 97));
    expect(statusOf(assessment, 'cache_hit_rate', 'canary-50').logE.breach).toBeLessThan(0.01);
    expect(assessment.snapshot().guardrails.cache_hit_rate).toMatchObject({ baseline: { frozen: 0.97 } });
  });

  it('are not measured where no record tells of them', () => {
    const assessment = createAssessment(plan, {});
    for (let second = 0; second < 20; second++) {
      assessment.absorb(intervalOf({ second }, { trials: 100 }, { trials: 100 }));
    }
    const status = statusOf(assessment, 'cache_hit_rate', 'canary-50');
    expect(status).toMatchObject({ stable: null, candidate: null, n: { stable: 0, candidate: 0 } });
  });
});

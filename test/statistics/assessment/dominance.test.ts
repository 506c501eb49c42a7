import { describe, expect, it } from 'vitest';
import type { UserBuckets } from '../../../src/evidence/record.js';
import { stageName } from '../../../src/plan/ids.js';
import { createAssessment, restoreAssessment } from '../../../src/statistics/assessment/assessment.js';
import type { Assessment } from '../../../src/statistics/assessment/assessment.js';
import { errorRate, planWith } from './plan-fixture.js';
import { Random } from './random.js';
import { recordOf } from './records.js';
import { stickyRamp } from './sticky-ramp.js';

const plan = planWith(errorRate());

/** So many requests in bucket 7 and the rest one after the other over all buckets. */
function users(requests: number, inOne: number): UserBuckets {
  const trials: Record<string, number> = { 7: inOne };
  for (let request = 0; request < requests - inOne; request++) {
    const bucket = request % 64;
    trials[bucket] = (trials[bucket] ?? 0) + 1;
  }
  return { trials, events: {} };
}

interface Interval {
  readonly stable: readonly [requests: number, inOne: number];
  readonly candidate: readonly [requests: number, inOne: number];
  readonly stage?: string;
  readonly stratum?: string;
}

function absorb(assessment: Assessment, intervals: number, interval: Interval, first = 0): void {
  const { stage = 'canary-50', stratum = 'served' } = interval;
  for (let second = first; second < first + intervals; second++) {
    assessment.absorb(
      (['stable', 'candidate'] as const).map((variant) => {
        const [trials, inOne] = interval[variant];
        const buckets = { error_rate: users(trials, inOne) };
        return recordOf(variant, { stage, second }, { trials }, { buckets, stratum });
      }),
    );
  }
}

function dominanceIn(assessment: Assessment, stage = 'canary-50'): string | null {
  return assessment.read(stageName(stage), { promoteFromGeneration: 0 }).dominance;
}

describe('the guard against few users', () => {
  it('speaks where one group of users sends more than a fifth of a variant’s requests, and names the variant', () => {
    const candidate = createAssessment(plan, {});
    absorb(candidate, 10, { stable: [100, 2], candidate: [100, 34] });
    expect(dominanceIn(candidate)).toMatch(
      /^few users dominate the candidate: one of 64 groups of users sends 3[56]% of its 1,000 requests, and all of them weigh as much as \d\.\d equal groups$/,
    );
    const stable = createAssessment(plan, {});
    absorb(stable, 10, { stable: [100, 34], candidate: [100, 2] });
    expect(dominanceIn(stable)).toMatch(/^few users dominate stable: /);
  });

  it('says nothing before 200 requests of that variant and 10 intervals', () => {
    const early = createAssessment(plan, {});
    absorb(early, 9, { stable: [100, 50], candidate: [100, 50] });
    expect(dominanceIn(early)).toBeNull();
    absorb(early, 1, { stable: [100, 50], candidate: [100, 50] }, 9);
    expect(dominanceIn(early)).not.toBeNull();
    const few = createAssessment(plan, {});
    absorb(few, 19, { stable: [100, 0], candidate: [10, 5] });
    expect(dominanceIn(few)).toBeNull();
    absorb(few, 1, { stable: [100, 0], candidate: [10, 5] }, 19);
    expect(dominanceIn(few)).toContain('of its 200 requests');
  });

  it('looks at compared requests of the stage alone', () => {
    const assessment = createAssessment(plan, {});
    absorb(assessment, 12, { stage: 'shadow', stable: [100, 50], candidate: [100, 50], stratum: 'served' });
    absorb(assessment, 12, { stage: 'canary-50', stable: [100, 0], candidate: [100, 0] }, 12);
    expect(dominanceIn(assessment, 'shadow')).toBeNull();
    expect(dominanceIn(assessment)).toBeNull();
    absorb(assessment, 12, { stage: 'shadow', stable: [100, 50], candidate: [100, 50], stratum: 'paired' }, 24);
    expect(dominanceIn(assessment, 'shadow')).not.toBeNull();
    expect(dominanceIn(assessment)).toBeNull();
  });

  it('stays silent where requests have no unit and buckets are drawn, and where nobody told', () => {
    for (let seed = 0; seed < 20; seed++) {
      const assessment = createAssessment(plan, {});
      // 24,000 users, one request or two each.
      const ramp = { users: 24_000, intervals: 12, requests: 400, rate: 0.02, correlation: 0 };
      for (const records of stickyRamp(ramp, new Random(seed))) assessment.absorb(records);
      for (const stage of ['canary-5', 'canary-25', 'canary-50']) expect(dominanceIn(assessment, stage)).toBeNull();
    }
    const untold = createAssessment(plan, {});
    for (let second = 0; second < 20; second++) {
      untold.absorb([
        recordOf('stable', { second }, { trials: 100 }),
        recordOf('candidate', { second }, { trials: 100 }),
      ]);
    }
    expect(dominanceIn(untold)).toBeNull();
  });

  it('survives a snapshot', () => {
    const assessment = createAssessment(plan, {});
    absorb(assessment, 9, { stable: [100, 2], candidate: [100, 50] });
    const restored = restoreAssessment(plan, JSON.parse(JSON.stringify(assessment.snapshot())));
    for (const one of [assessment, restored]) absorb(one, 1, { stable: [100, 2], candidate: [100, 50] }, 9);
    expect(dominanceIn(restored)).not.toBeNull();
    expect(restored.snapshot()).toEqual(assessment.snapshot());
  });
});

import { describe, expect, it } from 'vitest';
import type { GuardrailStatus } from '../../../src/evidence/look.js';
import { stageName } from '../../../src/plan/ids.js';
import type { GuardrailName, Plan } from '../../../src/plan/types.js';
import { createAssessment } from '../../../src/statistics/assessment/assessment.js';
import type { Assessment } from '../../../src/statistics/assessment/assessment.js';
import { errorRate, fivePlan, latency, planWith, refusalRate } from './plan-fixture.js';
import { intervalOf, recordOf } from './records.js';
import type { Counts, Place } from './records.js';

const CANARY_50 = stageName('canary-50');
const ALL = { promoteFromGeneration: 0 };

function statusOf(assessment: Assessment, name: GuardrailName, stage = 'canary-50', from = 0): GuardrailStatus {
  const status = assessment.read(stageName(stage), { promoteFromGeneration: from }).guardrails[name];
  if (!status) throw new Error(`no status of ${name}`);
  return status;
}

/** Absorbs the same interval of a second over and over. */
function run(assessment: Assessment, place: Place, seconds: number, stable: Counts, candidate: Counts): void {
  for (let second = place.second; second < place.second + seconds; second++) {
    assessment.absorb(intervalOf({ ...place, second }, stable, candidate));
  }
}

function assessmentOf(plan: Plan): Assessment {
  return createAssessment(plan, {});
}

describe('an assessment without evidence', () => {
  it('decides nothing and says what it waits for', () => {
    const reading = assessmentOf(fivePlan()).read(CANARY_50, ALL);
    expect(Object.values(reading.guardrails).map(({ verdict }) => verdict)).toEqual(
      Array.from({ length: 3 }, () => 'undecided'),
    );
    expect(reading.promote.open).toBe(false);
    expect(reading.promote.waiting.map(({ guardrail }) => guardrail)).toEqual([
      'error_rate',
      'latency_p50',
      'latency_p95',
      'min_requests',
    ]);
    expect(reading.crossings).toEqual({ rollback: null, hold: null, flag: null });
    expect(reading).toMatchObject({ position: { closedThrough: 0 }, incompleteShare: 0, lateShare: 0 });
  });
});

describe('the baseline of a rate', () => {
  it('is stable’s own rate, frozen after 1,000 trials, and serves only evidence that comes later', () => {
    const assessment = assessmentOf(planWith(errorRate()));
    run(assessment, { second: 0 }, 9, { trials: 100 }, { trials: 100 });
    expect(statusOf(assessment, 'error_rate').why).toContain(
      'promotion waits for 1,000 requests of stable to fix its margin (900 so far)',
    );
    run(assessment, { second: 9 }, 1, { trials: 100, errors: 10 }, { trials: 100 });
    const frozen = statusOf(assessment, 'error_rate');
    expect(frozen.why).not.toContain('waits');
    expect(frozen.logE.safe).toBe(0);
    // Another ten seconds of a far better candidate: now they count.
    run(assessment, { second: 10 }, 10, { trials: 100, errors: 1 }, { trials: 100 });
    expect(statusOf(assessment, 'error_rate').logE.safe).toBeGreaterThan(1);
    // p = 1 %, margin 1.5 %: the test without a control sees 1,000 requests, not the 2,000 of the stage.
    const snapshot = assessment.snapshot().guardrails.error_rate;
    expect(snapshot).toMatchObject({
      baseline: { frozen: 0.01 },
      segments: [{ candidateAlone: { trials: 1000, events: 0 } }],
    });
  });

  it('is never below 0.0001 and counts what stable alone served', () => {
    const assessment = assessmentOf(planWith(errorRate()));
    assessment.absorb([recordOf('stable', { stage: 'shadow', second: 0 }, { trials: 1000 })]);
    expect(assessment.snapshot().guardrails.error_rate).toMatchObject({ baseline: { frozen: 0.0001 } });
  });
});

describe('a service without errors', () => {
  it('promotes on the candidate’s own clean requests: about 770 for +0.5 points', () => {
    const assessment = assessmentOf(planWith(errorRate()));
    run(assessment, { stage: 'canary-25', second: 0 }, 1, { trials: 1000 }, { trials: 300 });
    let clean = 0;
    for (let second = 1; !assessment.read(CANARY_50, ALL).promote.open; second++) {
      run(assessment, { second, generation: 2 }, 1, { trials: 10 }, { trials: 10 });
      clean += 10;
    }
    expect(clean).toBeGreaterThan(740);
    expect(clean).toBeLessThanOrEqual(780);
    expect(statusOf(assessment, 'error_rate').verdict).toBe('safe');
  });

  it('forecasts that it will', () => {
    const assessment = assessmentOf(planWith(errorRate()));
    run(assessment, { stage: 'canary-25', second: 0 }, 1, { trials: 1000 }, { trials: 300 });
    run(assessment, { second: 1, generation: 2 }, 20, { trials: 10 }, { trials: 10 });
    const { needs } = statusOf(assessment, 'error_rate');
    // 200 of about 770 clean candidate requests are in; both variants together send 20 a second.
    expect(needs?.requests).toBeGreaterThan(900);
    expect(needs?.requests).toBeLessThan(1300);
    expect(needs?.seconds).toBe(Math.ceil((needs?.requests ?? 0) / 20));
  });
});

describe('evidence for promotion', () => {
  it('is of the current stage alone', () => {
    const assessment = assessmentOf(planWith(errorRate()));
    run(assessment, { stage: 'canary-25', second: 0 }, 60, { trials: 100 }, { trials: 100 });
    expect(statusOf(assessment, 'error_rate', 'canary-25').verdict).toBe('safe');
    expect(statusOf(assessment, 'error_rate', 'canary-50').verdict).toBe('undecided');
  });

  it('starts afresh at promoteFromGeneration, and so do its requests', () => {
    const assessment = assessmentOf(planWith(errorRate()));
    run(assessment, { second: 0, generation: 3 }, 60, { trials: 100 }, { trials: 100 });
    run(assessment, { second: 60, generation: 4 }, 1, { trials: 10 }, { trials: 10 });
    expect(assessment.read(CANARY_50, { promoteFromGeneration: 3 }).promote.open).toBe(true);
    const fresh = assessment.read(CANARY_50, { promoteFromGeneration: 4 });
    expect(fresh.promote.waiting).toMatchObject([
      { guardrail: 'error_rate' },
      { guardrail: 'min_requests', why: '10 of 100 requests of the candidate' },
    ]);
    expect(fresh.requests).toEqual({ stable: 6010, candidate: 6010 });
  });

  it('uses current values: a candidate that has just got worse is not promoted on its past', () => {
    const assessment = assessmentOf(planWith(errorRate({ limit: 9 })));
    run(assessment, { second: 0 }, 30, { trials: 100, errors: 1 }, { trials: 100, errors: 0 });
    expect(statusOf(assessment, 'error_rate').verdict).toBe('safe');
    run(assessment, { second: 30 }, 10, { trials: 100, errors: 1 }, { trials: 100, errors: 6 });
    expect(statusOf(assessment, 'error_rate').verdict).toBe('undecided');
  });

  it('says when it would never come at the rates seen', () => {
    const assessment = assessmentOf(planWith(errorRate({ limit: 9 })));
    run(assessment, { second: 0 }, 30, { trials: 100, errors: 1 }, { trials: 100, errors: 3 });
    const { why, needs } = statusOf(assessment, 'error_rate');
    expect(why).toContain('errors 3% against 1%');
    expect(why).toMatch(/for promotion .* of 20, never at this effect$/);
    expect(needs).toBeNull();
  });
});

describe('the threshold of a latency', () => {
  /** 96 % up to bucket 700, where p95 lies. */
  const stable = { trials: 50, latency: { 700: 48, 720: 2 } };
  /** Nothing as slow as 1.2 times that. */
  const faster = { trials: 50, latency: { 700: 48, 705: 2 } };

  it('waits for 200 requests of stable', () => {
    const assessment = assessmentOf(planWith(latency(0.95)));
    run(assessment, { second: 0 }, 3, stable, faster);
    expect(statusOf(assessment, 'latency_p95').why).toContain('waits for its threshold: 150 of 200 requests of stable');
    run(assessment, { second: 3 }, 1, stable, faster);
    const status = statusOf(assessment, 'latency_p95');
    expect(status.why).not.toContain('waits');
    // The interval that completed it has no threshold from before it.
    expect(status.logE.safe).toBeCloseTo(0, 12);
    run(assessment, { second: 4 }, 5, stable, faster);
    expect(statusOf(assessment, 'latency_p95').logE.safe).toBeGreaterThan(0.1);
  });

  it('stands from the first interval on when stable’s own meter seeds it', () => {
    const plan = planWith(latency(0.95));
    const counts = { 700: 960, 720: 40 };
    const assessment = createAssessment(plan, { latency_p95: { gamma: 1.2 ** 0.1, xMin: 0.001, counts } });
    run(assessment, { second: 0 }, 1, stable, faster);
    expect(statusOf(assessment, 'latency_p95').logE.safe).toBeGreaterThan(0.01);
    expect(() => createAssessment(plan, { latency_p95: { gamma: 1.02, xMin: 0.001, counts } })).toThrow(
      /seed latency_p95 is cut at gamma 1.02/,
    );
  });

  it('comes from before the interval: a jump of both variants is no exceedance of the candidate', () => {
    const assessment = assessmentOf(planWith(latency(0.5)));
    run(assessment, { second: 0 }, 20, stable, faster);
    const before = assessment.snapshot().guardrails.latency_p50;
    // Everything doubles at once: all values of both lie above the old threshold.
    const slow = { trials: 50, latency: { 738: 50 } };
    run(assessment, { second: 20 }, 1, slow, slow);
    const after = assessment.snapshot().guardrails.latency_p50;
    if (before?.kind !== 'quantile' || after?.kind !== 'quantile') throw new Error('no quantile state');
    // All are events: such a table says nothing, so the profile has not moved.
    expect(after.segments[0]?.breach).toEqual(before.segments[0]?.breach);
  });

  it('leaves warm-up intervals out, the threshold included; errors count from the first request', () => {
    const assessment = assessmentOf(fivePlan());
    for (let second = 0; second < 10; second++) {
      assessment.absorb(intervalOf({ second }, stable, { ...faster, errors: 1 }, { warmup: true }));
    }
    const p95 = statusOf(assessment, 'latency_p95');
    expect(p95.n).toEqual({ stable: 0, candidate: 0 });
    expect(p95.why).toContain('0 of 200 requests of stable');
    expect(statusOf(assessment, 'error_rate').n).toEqual({ stable: 500, candidate: 500 });
  });

  it('describes the quantiles that were seen', () => {
    const assessment = assessmentOf(planWith(latency(0.5)));
    run(assessment, { second: 0 }, 10, stable, { trials: 50, latency: { 705: 50 } });
    const { stable: seen, candidate, ratio, why } = statusOf(assessment, 'latency_p50');
    expect(seen).toBeCloseTo(0.001 * 1.2 ** 69.95, 6);
    expect(candidate).toBeCloseTo(0.001 * 1.2 ** 70.45, 6);
    expect(ratio).toBeCloseTo(1.2 ** 0.5, 9);
    expect(why).toMatch(/^latency p50 379 ms against 346 ms, 1.10 times \(odds ratio/);
  });
});

describe('what is compared', () => {
  it('is the mirrored requests alone in a mirrored stage', () => {
    const assessment = assessmentOf(fivePlan());
    const place = { stage: 'shadow', second: 0 };
    assessment.absorb([
      recordOf('stable', place, { trials: 500, errors: 400 }),
      ...intervalOf(place, { trials: 100, errors: 1 }, { trials: 100, errors: 2 }, { stratum: 'paired' }),
    ]);
    const status = statusOf(assessment, 'error_rate', 'shadow');
    expect(status.n).toEqual({ stable: 100, candidate: 100 });
    expect(status).toMatchObject({ stable: 0.01, candidate: 0.02, ratio: 2 });
    expect(assessment.read(stageName('shadow'), ALL).requests).toEqual({ stable: 600, candidate: 100 });
  });

  it('is both strata’s own tables, never their sum', () => {
    // Within each stratum the variants are alike; summed, the candidate looks four times as bad.
    const assessment = assessmentOf(planWith(errorRate()));
    for (let second = 0; second < 40; second++) {
      assessment.absorb([
        ...intervalOf({ second }, { trials: 90, errors: 0 }, { trials: 10, errors: 0 }, { stratum: 'short' }),
        ...intervalOf({ second }, { trials: 10, errors: 5 }, { trials: 90, errors: 45 }, { stratum: 'long' }),
      ]);
    }
    expect(statusOf(assessment, 'error_rate').logE.breach).toBeLessThan(0);
  });

  it('leaves out the stratum that lost its mirrors, not what was served beside it', () => {
    const assessment = assessmentOf(fivePlan());
    const place = { stage: 'flip', second: 0 };
    assessment.absorb([
      recordOf('candidate', place, { trials: 900 }),
      ...intervalOf(place, { trials: 80, errors: 8 }, { trials: 100 }, { stratum: 'paired', incomplete: true }),
    ]);
    const reading = assessment.read(stageName('flip'), ALL);
    expect(reading.requests).toEqual({ stable: 0, candidate: 900 });
    expect(reading.incompleteShare).toBe(1);
  });

  it('leaves a process’s incomplete interval out for both variants, and counts it', () => {
    const assessment = assessmentOf(fivePlan());
    const second = 0;
    assessment.absorb([
      ...intervalOf({ second }, { trials: 100 }, { trials: 100 }, { process: 'alive' }),
      recordOf('stable', { second }, { trials: 100, errors: 90 }, { process: 'dead' }),
      recordOf('candidate', { second }, { trials: 100 }, { process: 'dead', incomplete: true }),
    ]);
    const reading = assessment.read(CANARY_50, ALL);
    expect(reading.requests).toEqual({ stable: 100, candidate: 100 });
    expect(reading.guardrails.error_rate?.stable).toBe(0);
    expect(reading.incompleteShare).toBe(0.5);
  });

  it('counts what came late', () => {
    const assessment = assessmentOf(fivePlan());
    assessment.absorb(intervalOf({ second: 0 }, { trials: 97 }, { trials: 97 }, { started: 100, late: 3 }));
    expect(assessment.read(CANARY_50, ALL).lateShare).toBe(0.03);
  });
});

describe('a two-sided rate', () => {
  it.each([
    ['more', 30, 60],
    ['fewer', 60, 30],
  ])('holds when the candidate refuses %s often than stable', (_, stable, candidate) => {
    const assessment = assessmentOf(fivePlan({ guardrails: [errorRate({ weight: 1 }), refusalRate()] }));
    for (let second = 0; second < 10; second++) {
      assessment.absorb([
        recordOf('stable', { second }, { trials: 500 }, { refusal: { trials: 500, events: stable } }),
        recordOf('candidate', { second }, { trials: 500 }, { refusal: { trials: 500, events: candidate } }),
      ]);
    }
    expect(assessment.crossings).toMatchObject({
      rollback: null,
      hold: { guardrails: ['refusal_rate'], named: true, stage: 'canary-50' },
    });
    const status = statusOf(assessment, 'refusal_rate');
    expect(status).toMatchObject({ verdict: 'breached', action: 'hold', logE: { safe: null }, needs: null });
    // It neither gates nor stops a promotion by itself: that is for the rollout to decide.
    const waiting = assessment.read(CANARY_50, ALL).promote.waiting.map(({ guardrail }) => guardrail);
    expect(waiting).not.toContain('refusal_rate');
  });
});

describe('a plan that cannot be assessed', () => {
  it.each([
    ['a rate of another source', errorRate({ name: 'feedback' }), 'guardrail feedback is not available'],
    ['weights that do not sum to 1', errorRate({ weight: 0.7 }), 'must be positive and sum to 1, not 0.7'],
  ])('is refused: %s', (_, guardrail, message) => {
    expect(() => assessmentOf(fivePlan({ guardrails: [guardrail] }))).toThrow(message);
  });

  it('does not promote without a gate: silence is not evidence', () => {
    const assessment = assessmentOf(planWith(errorRate({ promote: null })));
    run(assessment, { second: 0 }, 10, { trials: 100 }, { trials: 100 });
    expect(assessment.read(CANARY_50, ALL).promote).toMatchObject({
      open: false,
      waiting: [{ guardrail: 'min_requests', why: 'no guardrail of the plan gates this stage' }],
    });
  });
});

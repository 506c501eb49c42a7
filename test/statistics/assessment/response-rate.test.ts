import { describe, expect, it } from 'vitest';
import type { GuardrailStatus } from '../../../src/evidence/look.js';
import { stageName } from '../../../src/plan/ids.js';
import { createAssessment, restoreAssessment } from '../../../src/statistics/assessment/assessment.js';
import type { Assessment } from '../../../src/statistics/assessment/assessment.js';
import { planWith } from './plan-fixture.js';
import { absorbSeconds, ratedSeconds, responseRate, thumbs } from './ratings.js';
import type { RatedTraffic } from './ratings.js';

const plan = planWith(responseRate());

function run(traffic: RatedTraffic, seconds: number, seed: number): Assessment {
  const assessment = createAssessment(plan, {});
  absorbSeconds(assessment, ratedSeconds(seed, 0, seconds, traffic));
  return assessment;
}

function statusOf(assessment: Assessment, stage = 'canary-50'): GuardrailStatus {
  const status = assessment.read(stageName(stage), { promoteFromGeneration: 0 }).guardrails.response_rate;
  if (!status) throw new Error('no response rate');
  return status;
}

describe('the share of requests that users rate', { timeout: 60_000 }, () => {
  it('holds when it differs, whichever variant is rated more', () => {
    const [more, fewer] = [0.3, 0.03].map((share) =>
      run({ requests: 40, stable: thumbs(0.1, 0.1), candidate: thumbs(0.1, share) }, 40, 1),
    );
    for (const assessment of [more, fewer]) {
      expect(assessment?.crossings.hold).toMatchObject({ family: 'hold', guardrails: ['response_rate'] });
    }
  });

  it('does not when it is the same, whatever users think', () => {
    for (let seed = 0; seed < 15; seed++) {
      const traffic = { requests: 40, stable: thumbs(0.1, 0.1), candidate: thumbs(0.9, 0.1) };
      expect(run(traffic, 40, seed).crossings.hold).toBeNull();
    }
  });

  it('counts requests and ratings once the horizon is over', () => {
    const traffic = { requests: 40, stable: thumbs(0.1), candidate: thumbs(0.1, 0) };
    expect(statusOf(run(traffic, 2, 1)).n).toEqual({ stable: 0, candidate: 0 });
    const status = statusOf(run(traffic, 4, 1));
    expect(status).toMatchObject({ n: { stable: 80, candidate: 80 }, stable: 1, candidate: 0, logE: { safe: null } });
    expect(status.why).toMatch(/rated answers 0% against 100%/);
    expect(statusOf(run({ ...traffic, delayMs: 2_001 }, 4, 1))).toMatchObject({ stable: 0, n: { stable: 80 } });
  });

  it('never counts more ratings than requests, nor more of a bucket of users than it sent', () => {
    // The ratings name other buckets than the requests, and half of the requests have no record.
    const seconds = ratedSeconds(1, 0, 10, { requests: 30, stable: thumbs(0.1), candidate: thumbs(0.1) });
    const assessment = createAssessment(plan, {});
    absorbSeconds(
      assessment,
      seconds.map(({ records, ratings }) => ({
        records: records.map((record) => ({
          ...record,
          started: 15,
          completed: 15,
          error: { trials: 15, events: 0 },
          histograms: {},
          buckets: { error_rate: { trials: { 5: 10, 60: 5 }, events: {} } },
        })),
        ratings: ratings.map((rating) => ({ ...rating, userBucket: null })),
      })),
    );
    expect(statusOf(assessment)).toMatchObject({ n: { stable: 120, candidate: 120 }, stable: 1, candidate: 1 });
  });

  it('goes on from a snapshot to the same digits', () => {
    const seconds = ratedSeconds(2, 0, 20, { requests: 20, stable: thumbs(0.1, 0.2), candidate: thumbs(0.1, 0.3) });
    const straight = absorbSeconds(createAssessment(plan, {}), seconds);
    const restored = absorbSeconds(createAssessment(plan, {}), seconds, (assessment) =>
      restoreAssessment(plan, JSON.parse(JSON.stringify(assessment.snapshot()))),
    );
    expect(restored.snapshot()).toEqual(straight.snapshot());
    expect(statusOf(straight).logE.breach).not.toBe(0);
  });

  it('says where stable serves nobody', () => {
    const flip = run({ stage: 'flip', requests: 20, stable: thumbs(0.1), candidate: thumbs(0.1) }, 10, 1);
    expect(statusOf(flip, 'flip').why).toMatch(/no-control/);
  });
});

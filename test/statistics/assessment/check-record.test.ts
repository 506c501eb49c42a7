import { isDeepStrictEqual } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { EvidenceRecord } from '../../../src/evidence/record.js';
import { rolloutId, stageName } from '../../../src/plan/ids.js';
import { createAssessment } from '../../../src/statistics/assessment/assessment.js';
import { AssessmentError } from '../../../src/statistics/assessment/assessment-error.js';
import { fivePlan } from './plan-fixture.js';
import { START, intervalOf, recordOf } from './records.js';

const KEY =
  'evidence record (rollout support@2026-11-24T09:00:00Z, generation 1, stage canary-50, ' +
  `intervalStart ${START}, stratum served, variant candidate, replica replica-1, process process-1)`;

/** The error about a bad record beside a good one, and what the assessment had used when it was thrown. */
function refusal(overrides: Partial<EvidenceRecord>): { readonly error: unknown; readonly used: unknown } {
  const assessment = createAssessment(fivePlan(), {});
  const before = assessment.snapshot();
  const good = recordOf('stable', { second: 0 }, { trials: 40 });
  const bad = recordOf('candidate', { second: 0 }, { trials: 40, errors: 1 }, overrides);
  let error: unknown = null;
  try {
    assessment.absorb([good, bad]);
  } catch (thrown) {
    error = thrown;
  }
  const after = assessment.snapshot();
  return { error, used: isDeepStrictEqual(before, after) ? 'nothing' : after };
}

describe('a record that cannot be true', () => {
  it.each<[string, Partial<EvidenceRecord>, string]>([
    ['more events than trials', { error: { trials: 40, events: 41 } }, 'error.events 41 exceed error.trials 40'],
    ['a negative count', { error: { trials: 40, events: -1 } }, 'error.events is -1, not a non-negative integer'],
    ['half a request', { started: 40.5 }, 'started is 40.5, not a non-negative integer'],
    ['not a number', { late: Number.NaN }, 'late is NaN, not a non-negative integer'],
    ['an infinite count', { dropped: { busy: Infinity } }, 'dropped.busy is Infinity'],
    ['no interval', { intervalMs: 0 }, 'intervalMs is 0'],
    ['more refusals than answers', { refusal: { trials: 3, events: 4 } }, 'refusal.events 4 exceed refusal.trials 3'],
    ['more misses than trials', { cacheMiss: { trials: 3, events: 4 } }, 'cacheMiss.events 4 exceed'],
    ['more aborted than there were', { aborted: 41 }, 'aborted 41 exceeds error.trials 40'],
    ['more classes than errors', { errorsByClass: { model: 1, timeout: 1 } }, 'errorsByClass sums to 2, above'],
    [
      'a unit that is no hash',
      { assigned: { units: ['u-17'], alone: 0 } },
      'assigned.units has "u-17", not 16 hex digits',
    ],
    [
      'a unit twice',
      { assigned: { units: ['00000000000000ff', '00000000000000ff'], alone: 0 } },
      'assigned.units has a unit twice',
    ],
    ['more assigned than started', { assigned: { units: [], alone: 41 } }, 'assigned has 0 units and 41 requests'],
    [
      'a histogram that does not add up',
      { histograms: { latency_p50: { gamma: 1.2 ** 0.1, xMin: 0.001, counts: { 700: 39 } } } },
      'histograms.latency_p50 does not add up: 39 values for 40 trials',
    ],
    [
      'more first tokens than requests',
      { histograms: { ttft_p50: { gamma: 1.2 ** 0.1, xMin: 0.001, counts: { 700: 41 } } } },
      'histograms.ttft_p50 does not add up: 41 values for 40 trials',
    ],
    [
      'a bucket that is no index',
      { histograms: { latency_p50: { gamma: 1.2 ** 0.1, xMin: 0.001, counts: { '-3': 40 } } } },
      'histograms.latency_p50 has a bucket -3',
    ],
    [
      'a bucket written in another way',
      { histograms: { latency_p50: { gamma: 1.2 ** 0.1, xMin: 0.001, counts: { 7: 39, '07': 1 } } } },
      'histograms.latency_p50 has a bucket 07',
    ],
    [
      'a bucket beyond every latency',
      { histograms: { latency_p50: { gamma: 1.2 ** 0.1, xMin: 0.001, counts: { 7: 39, 1_000_001: 1 } } } },
      'histograms.latency_p50 has a bucket 1000001',
    ],
    [
      'a negative bucket',
      { histograms: { latency_p50: { gamma: 1.2 ** 0.1, xMin: 0.001, counts: { 700: 41, 701: -1 } } } },
      'histograms.latency_p50.counts.701 is -1',
    ],
    [
      'more errors of users than errors',
      { buckets: { error_rate: { trials: { '3': 20 }, events: { '3': 2 } } } },
      'buckets.error_rate.events sum to 2, above its errors 1',
    ],
    [
      'more users than there were',
      { buckets: { abort_rate: { trials: { '3': 20, '4': 21 }, events: {} } } },
      'buckets.abort_rate.trials sum to 41, above the trials of its aborts 40',
    ],
    [
      'users of what was not measured',
      { buckets: { refusal_rate: { trials: { '3': 1 }, events: {} } } },
      'buckets.refusal_rate.trials sum to 1, above the trials of its refusals 0',
    ],
    [
      'users above the values of a histogram',
      { buckets: { latency_p50: { trials: { '3': 41 }, events: {} } } },
      'buckets.latency_p50.trials sum to 41, above the values of histograms.latency_p50 40',
    ],
    [
      'a user beyond the last bucket',
      { buckets: { error_rate: { trials: { '64': 1 }, events: {} } } },
      'buckets.error_rate.trials has a bucket 64, not one of 0 to 63',
    ],
    [
      'a bucket of users written in another way',
      { buckets: { error_rate: { trials: { '07': 1 }, events: {} } } },
      'buckets.error_rate.trials has a bucket 07, not one of 0 to 63',
    ],
    [
      'more events than trials of a user bucket',
      { buckets: { error_rate: { trials: { '3': 1 }, events: { '4': 1 } } } },
      'buckets.error_rate.events.4 1 exceed buckets.error_rate.trials.4 0',
    ],
    [
      'a histogram cut in another way',
      { histograms: { latency_p50: { gamma: 1.02, xMin: 0.001, counts: { 700: 40 } } } },
      'histograms.latency_p50 is cut at gamma 1.02, xMin 0.001',
    ],
  ])('%s: names the record, the field and the next step, and uses nothing', (_, overrides, problem) => {
    const { error, used } = refusal(overrides);
    expect(error).toBeInstanceOf(AssessmentError);
    expect(error).toMatchObject({ code: 'evidence-invalid' });
    expect(String(error)).toContain(`${KEY}: ${problem}`);
    expect(String(error)).toContain('; nothing of its interval was used, mend the router that wrote it');
    expect(used).toBe('nothing');
  });

  it('is of a stage that the plan does not have', () => {
    expect(String(refusal({ stage: stageName('canary-10') }).error)).toContain(
      "its stage is none of the plan's (shadow, canary-5, canary-25, canary-50, flip)",
    );
  });

  it('is of another rollout', () => {
    const { error, used } = refusal({ rollout: rolloutId('support@2026-11-25T09:00:00Z') });
    expect(String(error)).toContain('it is not of rollout support@2026-11-24T09:00:00Z');
    expect(used).toBe('nothing');
  });
});

describe('the order of evidence', () => {
  it('refuses a record whose interval was used already, by name', () => {
    const assessment = createAssessment(fivePlan(), {});
    assessment.absorb(intervalOf({ second: 5 }, { trials: 20 }, { trials: 20 }));
    expect(assessment.closedThrough).toBe(START + 6000);
    for (const second of [4, 5]) {
      expect(() => assessment.absorb([recordOf('stable', { second }, { trials: 20 })])).toThrow(
        new RegExp(`intervalStart ${START + 1000 * second}, .*evidence through ${START + 6000} has been used`),
      );
    }
    expect(assessment.closedThrough).toBe(START + 6000);
  });

  it('takes several interval ends in one call, in order of time', () => {
    const one = createAssessment(fivePlan(), {});
    const other = createAssessment(fivePlan(), {});
    const intervals = Array.from({ length: 30 }, (_, second) =>
      intervalOf({ second }, { trials: 40, errors: second % 3 }, { trials: 40, errors: second % 5 }),
    );
    for (const records of intervals) one.absorb(records);
    other.absorb(intervals.flat().toReversed());
    expect(other.snapshot()).toEqual(one.snapshot());
  });

  it('refuses a stage that the plan does not have when read', () => {
    const assessment = createAssessment(fivePlan(), {});
    expect(() => assessment.read(stageName('canary-10'), { promoteFromGeneration: 0 })).toThrow(
      /stage canary-10 is none of the plan's: name one of shadow, canary-5/,
    );
  });
});

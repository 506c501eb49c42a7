import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EvidenceRecord } from '../../src/evidence/record.js';
import { validateRating, validateRecord, violationsOf } from '../../src/evidence/validate-record.js';
import { SluiceError } from '../../src/plan/failures.js';
import { evidenceRecord, FIRST, rating, realisticRecord, record, seededRandom } from './records.js';

const cut = { gamma: 1.2 ** 0.1, xMin: 0.001 };

const VIOLATIONS: readonly (readonly [what: string, fields: Partial<EvidenceRecord>, phrase: string])[] = [
  ['events above trials', { error: { trials: 1, events: 2 } }, 'error: events 2 exceed trials 1'],
  ['negative counts', { late: -1 }, 'late is -1, not a non-negative integer'],
  ['fractions', { started: 1.5 }, 'started is 1.5, not a non-negative integer'],
  ['NaN', { refusal: { trials: NaN, events: 0 } }, 'refusal.trials is NaN, not a non-negative integer'],
  ['infinity', { dropped: { busy: Infinity } }, 'dropped.busy is Infinity, not a non-negative integer'],
  [
    'counts beyond exact integers',
    { tokens: { prompt: 2 ** 53, cached: 0, completion: 0, responses: 0 } },
    'tokens.prompt is',
  ],
  ['more trials than requests', { error: { trials: 2, events: 0 } }, 'error.trials 2 exceeds started 1'],
  ['more answers than requests', { completed: 2 }, 'completed 2 exceeds started 1'],
  ['more aborted than trials', { aborted: 2 }, 'aborted 2 exceeds error.trials 1'],
  ['classes above the errors', { errorsByClass: { timeout: 1 } }, 'errorsByClass sums to 1, above error.events 0'],
  ['misses above eligible requests', { cacheMiss: { trials: 0, events: 1 } }, 'cacheMiss: events 1 exceed trials 0'],
  [
    'a latency histogram without a trial',
    { histograms: { latency_p95: { ...cut, counts: {} } } },
    'histograms.latency_p95: histogram does not add up, 0 values for error.trials 1',
  ],
  [
    'a latency histogram with a value too many',
    { histograms: { latency_p50: { ...cut, counts: { '7': 1, '8': 1 } } } },
    'histograms.latency_p50: histogram does not add up, 2 values for error.trials 1',
  ],
  [
    'a first-token histogram with a value too many',
    { histograms: { ttft_p50: { ...cut, counts: { '7': 2 } } } },
    'histograms.ttft_p50: histogram does not add up, 2 values for error.trials 1',
  ],
  [
    'a gamma of 1',
    { histograms: { ttft_p50: { gamma: 1, xMin: 1, counts: {} } } },
    'histograms.ttft_p50.gamma is 1, not above 1',
  ],
  [
    'an xMin of 0',
    { histograms: { ttft_p50: { gamma: 2, xMin: 0, counts: {} } } },
    'histograms.ttft_p50.xMin is 0, not above 0',
  ],
  [
    'two ways to write an index',
    { histograms: { ttft_p50: { ...cut, counts: { '07': 1 } } } },
    'the key "07", which is no bucket index',
  ],
  [
    'a unit that is no hash',
    { assigned: { units: ['0123456789ABCDEF'], alone: 0 } },
    'assigned.units has "0123456789ABCDEF", not 16 hex digits',
  ],
  [
    'a unit twice',
    { started: 2, assigned: { units: ['00000000000000ff', '00000000000000ff'], alone: 0 } },
    'assigned.units has a unit twice',
  ],
  [
    'more assigned than started',
    { assigned: { units: ['00000000000000ff'], alone: 1 } },
    'assigned has 1 units and 1 requests without one, above started 1',
  ],
  ['half a request without a unit', { assigned: { units: [], alone: 0.5 } }, 'assigned.alone is 0.5'],
  [
    'users beyond the 64 buckets',
    { buckets: { error_rate: { trials: { '64': 1 }, events: {} } } },
    'the key "64", not 0 to 63',
  ],
  [
    'a user bucket with more events than trials',
    { buckets: { error_rate: { trials: { '3': 1 }, events: { '3': 1, '4': 1 } } } },
    'buckets.error_rate: events 1 exceed trials 0 in bucket 4',
  ],
  [
    'more trials of users than requests',
    { buckets: { error_rate: { trials: { '3': 1, '4': 1 }, events: {} } } },
    'buckets.error_rate.trials sum to 2, above error 1',
  ],
  [
    'more errors of users than errors',
    { buckets: { error_rate: { trials: { '3': 1 }, events: { '3': 1 } } } },
    'buckets.error_rate.events sum to 1, above error 0',
  ],
  [
    'users of a rate that was not measured',
    { buckets: { cache_hit_rate: { trials: { '3': 1 }, events: {} } } },
    'buckets.cache_hit_rate.trials sum to 1, above cacheMiss 0',
  ],
  [
    'more users than values',
    { histograms: { ttft_p50: { ...cut, counts: {} } }, buckets: { ttft_p50: { trials: { '3': 1 }, events: {} } } },
    'buckets.ttft_p50.trials sum to 1, above histograms.ttft_p50 0',
  ],
  ['a start off the grid', { intervalStart: FIRST + 1 }, 'intervalStart is no multiple of intervalMs 10000'],
  ['an interval without length', { intervalMs: 0 }, 'intervalMs is 0'],
  ['a generation before any split', { generation: 0 }, 'generation is 0, which is before any split'],
  ['a nameless replica', { replica: '' }, 'replica is empty'],
];

describe('validateRecord', () => {
  it.each(VIOLATIONS)('refuses %s', (_what, fields, phrase) => {
    const broken = record(fields);
    expect(violationsOf(broken).join('; ')).toContain(phrase);
    expect(() => validateRecord(broken)).toThrow(SluiceError);
    expect(() => validateRecord(broken)).toThrow(expect.objectContaining({ code: 'evidence-invalid' }));
    expect(() => validateRecord(broken)).toThrow(phrase);
  });

  it('names the whole key and every violation at once', () => {
    const broken = record({ late: -1, error: { trials: 1, events: 2 }, replica: 'router-3' });
    expect(() => validateRecord(broken)).toThrow(
      /rollout support@.*generation 1, stage canary-5, intervalStart \d+, stratum served, variant stable, replica router-3, process process-a\): late .*; error: events .*mend the router/,
    );
  });

  it('takes what routers write', () => {
    const random = seededRandom(1);
    for (const requests of [0, 1, 20, 400]) expect(violationsOf(realisticRecord({}, requests, random))).toEqual([]);
    fc.assert(fc.property(evidenceRecord, (valid) => violationsOf(valid).length === 0));
  });
});

describe('validateRating', () => {
  it('takes thumbs and scores, with and without a user', () => {
    const score = rating({ userBucket: null, rating: { kind: 'score', score: 4 } });
    for (const valid of [rating(), score]) expect(() => validateRating(valid)).not.toThrow();
  });

  it.each([
    [rating({ nonce: '' }), /nonce is empty/],
    [rating({ userBucket: 64 }), /userBucket is 64/],
    [rating({ requestStartedAt: NaN }), /requestStartedAt is NaN/],
    [rating({ rating: { kind: 'score', score: NaN } }), /score is NaN/],
    [rating({ rating: { kind: 'score', score: 4.5 } }), /score is 4.5, not one of 1 to 5/],
    [rating({ rating: { kind: 'score', score: 6 } }), /score is 6, not one of 1 to 5/],
  ])('refuses a rating that cannot be true (%#)', (broken, phrase) => {
    expect(() => validateRating(broken)).toThrow(phrase);
  });
});

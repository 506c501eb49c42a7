import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EvidenceRecord } from '../../../src/evidence/record.js';
import { stageName } from '../../../src/plan/ids.js';
import { createAssessment, restoreAssessment } from '../../../src/statistics/assessment/assessment.js';
import type { Assessment } from '../../../src/statistics/assessment/assessment.js';
import { AssessmentError } from '../../../src/statistics/assessment/assessment-error.js';
import { nameOfRecord } from '../../../src/statistics/assessment/check-record.js';
import { SEEDS, drawnRequest, everyGuardrail, ratingsOf, recordsOf } from './drawn-requests.js';

const plan = everyGuardrail();

/** Intervals of requests, some of them empty; the first ones are enough for baselines. */
const intervals = fc.array(fc.array(drawnRequest, { maxLength: 60 }), { minLength: 5, maxLength: 16 });

/** Enough requests of stable for every baseline, before anything is drawn. */
const BEFORE = recordsOf(
  Array.from({ length: 1600 }, (_, index) => ({
    variant: 'stable' as const,
    stratum: 'short',
    user: index % 64,
    fate: index % 50 === 0 ? ('failed' as const) : ('answered' as const),
    latency: 690 + (index % 40),
    firstToken: 600 + (index % 40),
    tokens: 250 + (index % 80),
    missed: index % 3 === 0,
    stars: null,
    replica: 0,
  })),
  { second: 0, stage: 'canary-25', generation: 1 },
  1,
);

/** The stage moves on in the middle, with a new generation. */
function placeOf(index: number, count: number) {
  const isLater = index > count / 2;
  return { second: index + 1, stage: isLater ? 'canary-50' : 'canary-25', generation: isLater ? 2 : 1 };
}

function begun(): Assessment {
  const assessment = createAssessment(plan, SEEDS);
  assessment.absorb(BEFORE);
  return assessment;
}

function verdictsOf(assessment: Assessment): unknown {
  return {
    readings: plan.stages.map(({ name }) => assessment.read(name, { promoteFromGeneration: 0 })),
    guardrails: assessment.snapshot().guardrails,
    breaches: assessment.breaches,
  };
}

describe('every guardrail', () => {
  it('has the same verdict however requests are spread over replicas', () => {
    fc.assert(
      fc.property(intervals, fc.integer({ min: 2, max: 4 }), (all, replicas) => {
        const one = begun();
        const many = begun();
        for (const [index, requests] of all.entries()) {
          const place = placeOf(index, all.length);
          one.absorb(recordsOf(requests, place, 1), ratingsOf(requests, place));
          many.absorb(recordsOf(requests, place, replicas), ratingsOf(requests, place));
        }
        expect(verdictsOf(many)).toEqual(verdictsOf(one));
      }),
      { numRuns: 25, seed: 4 },
    );
  });

  it('has the same verdict in whatever order records come, twice or once, and from any snapshot', () => {
    fc.assert(
      fc.property(intervals, fc.nat(), fc.nat(15), (all, turn, cut) => {
        const canonical = begun();
        let other = begun();
        for (const [index, requests] of all.entries()) {
          const place = placeOf(index, all.length);
          const records = recordsOf(requests, place, 4);
          const ratings = ratingsOf(requests, place);
          canonical.absorb(records, ratings);
          const from = records.length === 0 ? 0 : turn % records.length;
          const twice = records.slice(0, turn % 3).map((record) => structuredClone(record));
          other.absorb(
            [...records.slice(from), ...records.slice(0, from).toReversed(), ...twice],
            ratings.toReversed(),
          );
          if (index === cut) other = restoreAssessment(plan, JSON.parse(JSON.stringify(other.snapshot())));
        }
        expect(verdictsOf(other)).toEqual(verdictsOf(canonical));
      }),
      { numRuns: 25, seed: 5 },
    );
  });

  it('has the same evidence whether few requests come in one interval or in several of the same split', () => {
    const few = fc.array(drawnRequest, { minLength: 1, maxLength: 19 }).map((requests) =>
      // One stratum, and a kind of request for which no metric becomes evidence earlier than another.
      requests.map((one) => ({ ...one, stratum: 'short', fate: 'answered' as const, stars: null })),
    );
    const last = fc
      .array(drawnRequest, { minLength: 60, maxLength: 60 })
      .map((requests) => requests.map((one) => ({ ...one, stratum: 'short', stars: null })));
    fc.assert(
      fc.property(few, last, fc.nat(18), (early, rest, at) => {
        const whole = begun();
        const split = begun();
        const place = (second: number) => ({ second, stage: 'canary-50', generation: 2 });
        const first = early.slice(0, at);
        const then = early.slice(at);
        whole.absorb(recordsOf([...early, ...rest], place(3), 1));
        if (first.length > 0) split.absorb(recordsOf(first, place(1), 1));
        split.absorb(recordsOf(then, place(2), 1));
        split.absorb(recordsOf(rest, place(3), 1));
        for (const name of ['error_rate', 'refusal_rate', 'abort_rate', 'cache_hit_rate'] as const) {
          expect(segmentsOf(split, name)).toEqual(segmentsOf(whole, name));
        }
        for (const assessment of [whole, split]) {
          const { requests } = assessment.read(stageName('canary-50'), { promoteFromGeneration: 0 });
          expect(requests.stable + requests.candidate).toBe(early.length + 60);
        }
      }),
      { numRuns: 40, seed: 6 },
    );
  });
});

/** Ways of making one record wrong, each where the record has something to make wrong. */
const FAULTS: Readonly<Record<string, (record: EvidenceRecord) => Partial<EvidenceRecord>>> = {
  'NaN errors': ({ error }) => ({ error: { ...error, events: Number.NaN } }),
  'negative errors': ({ error }) => ({ error: { ...error, events: -1 } }),
  'half a trial': ({ error }) => ({ error: { ...error, trials: error.trials + 0.5 } }),
  'errors above trials': ({ error }) => ({ error: { ...error, events: error.trials + 1 } }),
  'misses above trials': () => ({ cacheMiss: { trials: 1, events: 2 } }),
  'NaN misses': () => ({ cacheMiss: { trials: Number.NaN, events: 0 } }),
  'negative refusals': () => ({ refusal: { trials: 3, events: -1 } }),
  'refusals above trials': () => ({ refusal: { trials: 3, events: 4 } }),
  'aborted above trials': ({ error }) => ({ aborted: error.trials + 1 }),
  'a latency histogram that does not add up': (record) => histogramFault(record, 'latency_p95', { 700: 1 }),
  'NaN latencies': (record) => histogramFault(record, 'latency_p95', { 700: Number.NaN }),
  'more first tokens than requests': (record) => histogramFault(record, 'ttft_p50', { 600: record.error.trials + 1 }),
  'half an answer': (record) => histogramFault(record, 'tokens_per_response', { 250: 0.5 }),
  'more answers than requests': (record) =>
    histogramFault(record, 'tokens_per_response', { 250: record.error.trials + 1 }),
  ...Object.fromEntries(
    [
      'error_rate',
      'abort_rate',
      'refusal_rate',
      'cache_hit_rate',
      'latency_p95',
      'ttft_p50',
      'tokens_per_response',
    ].flatMap((name) => [
      [`NaN users of ${name}`, bucketFault(name, { 3: Number.NaN }, {})],
      [`negative users of ${name}`, bucketFault(name, { 3: -1 }, {})],
      [`half a user of ${name}`, bucketFault(name, { 3: 0.5 }, {})],
      [`events of ${name} above trials in a bucket`, bucketFault(name, { 3: 0 }, { 3: 1 })],
      [`users of ${name} in a bucket beyond the last`, bucketFault(name, { 64: 1 }, {})],
      [`more users of ${name} than there were`, bucketFault(name, { 3: 1000 }, {})],
    ]),
  ),
};

function histogramFault(record: EvidenceRecord, name: string, counts: Readonly<Record<string, number>>) {
  const known = record.histograms[name];
  if (!known) throw new Error(`no histogram ${name}`);
  // One value more than what is there: never the same total.
  const merged = { ...known.counts, ...counts };
  return { histograms: { ...record.histograms, [name]: { ...known, counts: { ...merged, 731: 1 } } } };
}

function bucketFault(name: string, trials: Record<string, number>, events: Record<string, number>) {
  return ({ buckets }: EvidenceRecord): Partial<EvidenceRecord> => ({
    buckets: { ...buckets, [name]: { trials, events } },
  });
}

describe('a record that cannot be true, among true ones', () => {
  it.each(Object.keys(FAULTS))('is refused by name, and nothing of the call is used: %s', (fault) => {
    fc.assert(
      fc.property(fc.array(drawnRequest, { minLength: 4, maxLength: 40 }), fc.nat(), (requests, which) => {
        const assessment = begun();
        const before = assessment.snapshot();
        const records = recordsOf(requests, { second: 1, stage: 'canary-25', generation: 1 }, 4);
        const broken = records[which % records.length];
        const wrong = FAULTS[fault];
        if (!broken || !wrong) throw new Error('nothing to break');
        const mixed = records.map((record) => (record === broken ? { ...record, ...wrong(record) } : record));
        let thrown: unknown = null;
        try {
          assessment.absorb(mixed, ratingsOf(requests, { second: 1, stage: 'canary-25', generation: 1 }));
        } catch (error) {
          thrown = error;
        }
        expect(thrown).toBeInstanceOf(AssessmentError);
        expect(thrown).toMatchObject({ code: 'evidence-invalid' });
        expect(String(thrown)).toContain(nameOfRecord(broken));
        expect(assessment.snapshot()).toEqual(before);
      }),
      { numRuns: 3, seed: 7 },
    );
  });
});

function segmentsOf(assessment: Assessment, name: 'error_rate' | 'refusal_rate' | 'abort_rate' | 'cache_hit_rate') {
  const state = assessment.snapshot().guardrails[name];
  if (state?.kind !== 'rate' || !('segments' in state)) throw new Error(`no state of ${name}`);
  return { segments: state.segments, pools: state.pools };
}

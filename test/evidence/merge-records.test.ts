import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeRecords } from '../../src/evidence/merge-records.js';
import type { EvidenceRecord } from '../../src/evidence/record.js';
import { violationsOf } from '../../src/evidence/validate-record.js';
import { evidenceRecord, record } from './records.js';

const cut = { gamma: 1.2 ** 0.1, xMin: 0.001 };

describe('mergeRecords', () => {
  it('adds counts, sparse buckets and histograms over replicas and processes', () => {
    const one = record({
      started: 3,
      completed: 3,
      error: { trials: 3, events: 1 },
      errorsByClass: { timeout: 1 },
      dropped: { busy: 2 },
      histograms: { latency_p95: { ...cut, counts: { '700': 2, '710': 1 } } },
      buckets: { error_rate: { trials: { '5': 3 }, events: { '5': 1 } } },
      tokens: { prompt: 10, cached: 4, completion: 7, responses: 2 },
    });
    const other = record({
      replica: 'router-2',
      started: 2,
      completed: 1,
      aborted: 1,
      error: { trials: 2, events: 1 },
      errorsByClass: { model: 1 },
      refusal: { trials: 2, events: 1 },
      histograms: {
        latency_p95: { ...cut, counts: { '710': 1, '722': 1 } },
        ttft_p95: { ...cut, counts: { '600': 1 } },
      },
      buckets: { error_rate: { trials: { '5': 1, '9': 1 }, events: { '9': 1 } } },
      tokens: { prompt: 1, cached: 0, completion: 1, responses: 1 },
      incomplete: true,
    });
    expect(mergeRecords([other, one])).toEqual([
      {
        rollout: one.rollout,
        generation: 1,
        stage: 'canary-5',
        intervalStart: one.intervalStart,
        intervalMs: one.intervalMs,
        stratum: 'served',
        variant: 'stable',
        warmup: false,
        incomplete: true,
        started: 5,
        completed: 4,
        aborted: 1,
        late: 0,
        dropped: { busy: 2 },
        error: { trials: 5, events: 2 },
        errorsByClass: { timeout: 1, model: 1 },
        refusal: { trials: 2, events: 1 },
        histograms: {
          latency_p95: { ...cut, counts: { '700': 2, '710': 2, '722': 1 } },
          ttft_p95: { ...cut, counts: { '600': 1 } },
        },
        tokens: { prompt: 11, cached: 4, completion: 8, responses: 3 },
        buckets: { error_rate: { trials: { '5': 4, '9': 1 }, events: { '5': 1, '9': 1 } } },
      },
    ]);
  });

  it('replaces a record by its higher revision and never adds the two', () => {
    const first = record({ started: 5 });
    const second = record({ started: 6, revision: 2 });
    expect(mergeRecords([second, first, second]).map(({ started }) => started)).toEqual([6]);
  });

  it('keeps generations, strata and variants apart, and adds a restarted process', () => {
    const parts = [
      record({ variant: 'candidate' }),
      record({ generation: 2 }),
      record({ stratum: 'paired' }),
      record(),
      record({ process: 'process-b' }),
    ];
    expect(mergeRecords(parts).map((sum) => [sum.generation, sum.stratum, sum.variant, sum.started])).toEqual([
      [1, 'paired', 'stable', 1],
      [1, 'served', 'candidate', 1],
      [1, 'served', 'stable', 2],
      [2, 'served', 'stable', 1],
    ]);
  });

  it('refuses to add histograms that are cut differently', () => {
    const one = record({ histograms: { ttft_p95: { ...cut, counts: { '7': 1 } } } });
    const other = record({
      replica: 'router-2',
      histograms: { ttft_p95: { gamma: 1.5, xMin: 1, counts: { '7': 1 } } },
    });
    expect(() => mergeRecords([one, other])).toThrow(
      /replica router-2.*cannot be added: histograms.ttft_p95 is cut at gamma 1.5, xMin 1/,
    );
  });

  it('refuses a sum beyond exact integers', () => {
    const tokens = { prompt: 2 ** 53 - 1, cached: 0, completion: 0, responses: 0 };
    expect(() => mergeRecords([record({ tokens }), record({ tokens, process: 'process-b' })])).toThrow(
      /process process-b\) cannot be added: 9007199254740991 \+ 9007199254740991 is no exact integer/,
    );
  });

  it('gives the same sums in any order, however often a record comes, and they are valid records', () => {
    fc.assert(
      fc.property(fc.array(evidenceRecord, { maxLength: 12 }), fc.func(fc.nat()), (drawn, rank) => {
        const records = uniqueRevisions(drawn);
        const shuffled = [...records, ...records.slice(0, 3)].toSorted((left, right) => rank(left) - rank(right));
        const sums = mergeRecords(shuffled);
        expect(sums).toEqual(mergeRecords(records));
        const invalid = sums.flatMap((sum) =>
          violationsOf({ ...sum, replica: 'fleet', process: 'fleet', revision: 0 }),
        );
        expect(invalid).toEqual([]);
      }),
    );
  });

  it('loses and invents nothing', () => {
    fc.assert(
      fc.property(fc.array(evidenceRecord, { maxLength: 12 }), (drawn) => {
        const newest = new Map<string, EvidenceRecord>();
        for (const item of uniqueRevisions(drawn)) {
          const known = newest.get(keyOf(item));
          if (known === undefined || known.revision < item.revision) newest.set(keyOf(item), item);
        }
        const trials = (all: Iterable<{ readonly error: { readonly trials: number } }>): number =>
          [...all].reduce((sum, { error }) => sum + error.trials, 0);
        expect(trials(mergeRecords(uniqueRevisions(drawn)))).toBe(trials(newest.values()));
      }),
    );
  });
});

function keyOf(item: EvidenceRecord): string {
  const { generation, stage, intervalStart, stratum, variant, replica, process } = item;
  return JSON.stringify([generation, stage, intervalStart, stratum, variant, replica, process]);
}

/** A router never gives two bodies one revision. */
function uniqueRevisions(records: readonly EvidenceRecord[]): readonly EvidenceRecord[] {
  return [...new Map(records.map((item) => [`${keyOf(item)} ${item.revision}`, item])).values()];
}

import { deflateRawSync } from 'node:zlib';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packRecord, unpackRecord } from '../../src/ledger/pack-record.js';
import type { EvidenceRecord } from '../../src/evidence/record.js';
import { evidenceRecord, realisticRecord, record, seededRandom } from '../evidence/records.js';

const KEY_FIELDS: ReadonlySet<string> = new Set([
  'rollout',
  'generation',
  'stage',
  'intervalStart',
  'intervalMs',
  'stratum',
  'variant',
  'replica',
  'process',
  'revision',
]);

/** What the row's key does not hold. */
function bodyOf(item: EvidenceRecord): unknown {
  return Object.fromEntries(Object.entries(item).filter(([field]) => !KEY_FIELDS.has(field)));
}

describe('packRecord', () => {
  it('loses nothing', () => {
    fc.assert(
      fc.property(evidenceRecord, (item) => {
        expect(unpackRecord(packRecord(item))).toEqual(bodyOf(item));
      }),
    );
    const random = seededRandom(3);
    for (const requests of [0, 1, 30, 2_000]) {
      const item = realisticRecord({}, requests, random);
      expect(unpackRecord(packRecord(item))).toEqual(bodyOf(item));
    }
  });

  it('reads what either database gives back', () => {
    const packed = packRecord(record({ late: 3 }));
    expect(unpackRecord(packed.slice().buffer)).toEqual(unpackRecord(Buffer.from(packed)));
  });

  it('still reads what the first version wrote', () => {
    // Rows live for more than a year: whoever changes the format must keep this readable.
    const written = Buffer.from(WRITTEN_BY_FORMAT_1, 'base64');
    const item = realisticRecord({ warmup: true }, 12, seededRandom(11));
    const trials = item.buckets['cache_hit_rate']?.trials ?? {};
    // Its misses by user were drawn apart from the misses of the record.
    const buckets = { ...item.buckets, cache_hit_rate: { trials, events: { 8: 2, 21: 1, 24: 1 } } };
    expect(unpackRecord(written)).toEqual(bodyOf({ ...item, buckets }));
  });

  it('keeps an assigned unit in eight bytes and little more', () => {
    const random = seededRandom(13);
    const digits = (): string =>
      Math.floor(random() * 2 ** 32)
        .toString(16)
        .padStart(8, '0');
    const assigned = { units: Array.from({ length: 1_000 }, () => digits() + digits()), alone: 0 };
    const bytes =
      packRecord(record({ started: 1_000, assigned })).length - packRecord(record({ started: 1_000 })).length;
    expect(bytes).toBeGreaterThan(8_000);
    expect(bytes).toBeLessThan(8_300);
  });

  it('refuses what it did not write', () => {
    expect(() => unpackRecord(Uint8Array.of(9, 1, 2))).toThrow(/has format 9, this version of sluice reads 1 and 2/);
    expect(() => unpackRecord(Buffer.concat([Uint8Array.of(1), deflateRawSync('[1]')]))).toThrow(/holds no record/);
  });

  // The budget: 300 MB per stratum and replica for five weeks. At the default interval of 60 s that is 100,800 records
  // of up to 2,976 bytes; at 10 s 604,800 of up to 496. Key, index and row headers take about 100 bytes of each.
  it.each([
    { everyMs: 60_000, stable: 1_140, candidate: 60, budget: 2_976 },
    { everyMs: 10_000, stable: 19, candidate: 1, budget: 496 },
  ])('stays within the budget at an interval of $everyMs ms', ({ stable, candidate, budget }) => {
    const random = seededRandom(5);
    const mean = (requests: number): number => {
      const sizes = Array.from({ length: 50 }, () => packRecord(realisticRecord({}, requests, random)).length);
      return sizes.reduce((sum, size) => sum + size, 0) / sizes.length;
    };
    expect((mean(stable) + mean(candidate)) / 2).toBeLessThan(budget);
  });
});

const WRITTEN_BY_FORMAT_1 =
  'Ad1TORLEMAj7EIWlEB+P8Se2z98zgHFSbLvNjhs8SCBphuWAAoYHPu7cCughf6JMMyilDqlFIUQ12vaFFKIC6VYd6+M7S4rhanc3UIt3h0DOBbdXX3OOHKGbRSfQNzohM6UBWw4yELoFFjT1Bh8xLqhF3vFZmUW0G59YRurUPQ7JpG5mf1Hm/KMbBhrQhkb6v79h/X7DfV7XDQ==';

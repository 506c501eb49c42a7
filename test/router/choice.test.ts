import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { chooseVariant, loadHash, markUnit, mirrorPoint, sampleHash, splitPoint } from '../../src/router/choice.js';
import type { Hash } from '../../src/router/choice.js';

let hash: Hash;

beforeAll(async () => {
  hash = await loadHash();
});

const SALT = '5b8b6a0e-9d0a-4c51-9f3a-0d6f3f8f0001';
const weight = fc.double({ min: 0, max: 1, noNaN: true });

/** Units u-0 … u-(n−1) that the candidate serves. */
function cohort(salt: string, share: number, units: number): Set<string> {
  const names = Array.from({ length: units }, (_, index) => `u-${index}`);
  return new Set(names.filter((unit) => chooseVariant(splitPoint(hash, salt, unit), share) === 'candidate'));
}

describe('the point of a unit', () => {
  // Reference values of XXH64 with seed 0 (xxHash's own test suite and its command line tool).
  test.each([
    ['', 0xef46db3751d8e999n],
    ['a', 0xd24ec4f1a98c6e5bn],
    ['abc', 0x44bc2cf5ad770999n],
    ['Nobody inspects the spammish repetition', 0xfbcea83c8a378bf1n],
  ])('hashes %j with XXH64', (text, expected) => {
    expect(hash(text)).toBe(expected);
  });

  test('is the upper 53 bits over 2^53 of salt, zero byte and unit as UTF-8', () => {
    const point = splitPoint(hash, SALT, 'Zoë 💡');
    expect(point).toBe(Number(hash(`${SALT}\0Zoë 💡`) >> 11n) / 2 ** 53);
    expect(point).not.toBe(splitPoint(hash, `${SALT}\0`, 'Zoë 💡'));
  });

  test('lies on [0, 1) and never depends on the weight', () => {
    fc.assert(
      fc.property(fc.string(), fc.string({ unit: 'grapheme' }), (salt, unit) => {
        const point = splitPoint(hash, salt, unit);
        expect(point).toBeGreaterThanOrEqual(0);
        expect(point).toBeLessThan(1);
        expect(splitPoint(hash, salt, unit)).toBe(point);
      }),
    );
  });
});

describe('the choice', () => {
  test('growing a weight only adds units, shrinking only removes them', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), weight, weight, (unit, left, right) => {
        const point = splitPoint(hash, SALT, unit);
        const [smaller, larger] = left < right ? [left, right] : [right, left];
        const kept = chooseVariant(point, smaller) === 'candidate' ? 'candidate' : chooseVariant(point, larger);
        expect(chooseVariant(point, larger)).toBe(kept);
      }),
    );
  });

  test('weight 0 is nobody and weight 1 is everybody', () => {
    expect(cohort(SALT, 0, 1_000).size).toBe(0);
    expect(cohort(SALT, 1, 1_000).size).toBe(1_000);
  });

  test.each([0.01, 0.05, 0.25, 0.5, 0.95])('a share of %d is met within binomial bounds', (share) => {
    const units = 40_000;
    const deviation = Math.sqrt(units * share * (1 - share));
    expect(Math.abs(cohort(SALT, share, units).size - units * share)).toBeLessThan(4.5 * deviation);
  });

  test('another salt takes another cohort: the overlap is that of independent draws', () => {
    const units = 40_000;
    const share = 0.25;
    const first = cohort(SALT, share, units);
    const both = [...cohort('another-salt', share, units)].filter((unit) => first.has(unit)).length;
    const expected = units * share * share;
    expect(Math.abs(both - expected)).toBeLessThan(4.5 * Math.sqrt(expected * (1 - share * share)));
  });
});

describe('what must not follow the assignment', () => {
  const units = Array.from({ length: 40_000 }, (_, index) => `u-${index}`);

  test('who is mirrored is independent of who is served by whom', () => {
    const mirrored = units.filter((unit) => mirrorPoint(hash, SALT, unit) < 0.5);
    const served = mirrored.filter((unit) => splitPoint(hash, SALT, unit) < 0.25).length;
    expect(Math.abs(served - mirrored.length / 4)).toBeLessThan(4.5 * Math.sqrt((mirrored.length * 3) / 16));
  });

  test('who is counted for the sample ratio is independent of who is served by whom, and of who is mirrored', () => {
    const counted = units
      .toSorted((left, right) => (sampleHash(hash, SALT, left) < sampleHash(hash, SALT, right) ? -1 : 1))
      .slice(0, 4_096);
    const deviation = Math.sqrt(4_096 * 0.25 * 0.75);
    for (const pointOf of [splitPoint, mirrorPoint]) {
      const below = counted.filter((unit) => pointOf(hash, SALT, unit) < 0.25).length;
      expect(Math.abs(below - 1_024)).toBeLessThan(4.5 * deviation);
    }
    expect(sampleHash(hash, 'another-salt', 'u-1')).not.toBe(sampleHash(hash, SALT, 'u-1'));
  });

  test('user buckets hold an equal share of the candidate’s units each', () => {
    const counts = Array.from({ length: 64 }, () => 0);
    for (const unit of cohort(SALT, 0.25, units.length)) {
      const { bucket } = markUnit(hash, unit);
      counts[bucket] = (counts[bucket] ?? 0) + 1;
    }
    const mean = counts.reduce((sum, count) => sum + count, 0) / 64;
    const chiSquare = counts.reduce((sum, count) => sum + (count - mean) ** 2 / mean, 0);
    // 63 degrees of freedom: the 99.99% quantile is 112.
    expect(chiSquare).toBeLessThan(112);
  });
});

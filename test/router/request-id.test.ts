import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { NonceSource, RequestIds } from '../../src/router/request-id.js';
import type { RequestMark } from '../../src/router/request-id.js';
import { ROLLOUT } from './helpers/router-fixture.js';

const OLD_KEY = Buffer.from('old');
const NEW_KEY = Buffer.from('new');

const mark: RequestMark = {
  rollout: ROLLOUT,
  generation: 7,
  variant: 'candidate',
  stratum: 'served',
  userBucket: 17,
  startedAt: 1_790_000_000_123,
  nonce: 'abcdef012345678901234567',
};

describe('a request id', () => {
  test('says what was signed, to every router that has the key', () => {
    fc.assert(
      fc.property(
        fc.record({
          rollout: fc.constantFrom(ROLLOUT, null),
          generation: fc.nat(),
          variant: fc.constantFrom('stable', 'candidate'),
          stratum: fc.constantFrom('served', 'paired'),
          userBucket: fc.option(fc.integer({ min: 0, max: 63 })),
          startedAt: fc.nat(),
          nonce: fc.string({ unit: fc.constantFrom('0', '1', '7', '9', 'a', 'f'), minLength: 24, maxLength: 24 }),
        }),
        (signed) => {
          expect(new RequestIds([NEW_KEY]).verify(new RequestIds([NEW_KEY]).sign(signed))).toEqual(signed);
        },
      ),
    );
  });

  test('names the interval that counted the request, whatever its length', () => {
    const ids = new RequestIds([NEW_KEY]);
    expect(ids.verify(ids.sign({ ...mark, startedAt: 1_790_000_000_999.7 }))?.startedAt).toBe(1_790_000_000_999);
  });

  test('is worth nothing once a single character is changed, added or left out', () => {
    const ids = new RequestIds([NEW_KEY]);
    const id = ids.sign(mark);
    for (let at = 0; at < id.length; at += 1) {
      const other = id[at] === 'A' ? 'B' : 'A';
      expect(ids.verify(id.slice(0, at) + other + id.slice(at + 1))).toBeNull();
      expect(ids.verify(id.slice(0, at) + id.slice(at + 1))).toBeNull();
    }
    expect(ids.verify(`${id}A`)).toBeNull();
    expect(ids.verify(`${id}.A`)).toBeNull();
    expect(ids.verify('')).toBeNull();
    expect(ids.verify(id)).toEqual(mark);
  });

  test('outlives a rotation of keys: the first signs, all verify', () => {
    const before = new RequestIds([OLD_KEY]);
    const during = new RequestIds([NEW_KEY, OLD_KEY]);
    const after = new RequestIds([NEW_KEY]);
    expect(during.verify(before.sign(mark))).toEqual(mark);
    expect(after.verify(during.sign(mark))).toEqual(mark);
    expect(after.verify(before.sign(mark))).toBeNull();
    expect(before.verify(during.sign(mark))).toBeNull();
  });

  test('has a nonce of 96 bits that does not come twice', () => {
    const source = new NonceSource();
    const nonces = Array.from({ length: 1_000 }, () => source.next());
    expect(new Set(nonces).size).toBe(1_000);
    expect(nonces.every((nonce) => /^[0-9a-f]{24}$/.test(nonce))).toBe(true);
  });
});

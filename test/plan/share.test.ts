import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { complementOf, formatShare, parseShare } from '../../src/plan/share.js';

describe('shares', () => {
  it.each([
    ['5%', 0.05],
    ['2.5%', 0.025],
    ['100%', 1],
    ['0%', 0],
    ['0.0001%', 0.000001],
  ])('%s is %d', (text, share) => {
    expect(parseShare(text)).toEqual({ ok: true, value: share });
  });

  it.each([
    ['150%', 'above 100%. Write a share from 0% to 100%, such as "5%"'],
    ['-5%', 'below 0%. Write a share from 0% to 100%, such as "5%"'],
    ['5', 'a share needs a percent sign. Write "5%"'],
    ['0.05', 'a share needs a percent sign. Write "0.05%" or, if it is meant as a fraction, "5%"'],
    ['five%', 'not a share. Write a percentage, such as "5%"'],
    ['', 'not a share. Write a percentage, such as "5%"'],
    ['0.00001%', 'finer than 0.0001%. Write at most four decimals'],
  ])('%j is refused', (text, why) => {
    expect(parseShare(text)).toEqual({ ok: false, why });
  });

  it('reads back what it writes, and complements sum to 1', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 1_000_000 }), (millionths) => {
        const share = millionths / 1_000_000;
        expect(parseShare(formatShare(share))).toEqual({ ok: true, value: share });
        expect(share + complementOf(share)).toBeCloseTo(1, 12);
        expect(formatShare(complementOf(complementOf(share)))).toBe(formatShare(share));
      }),
    );
  });

  it('leaves no dust of binary fractions', () => {
    expect(complementOf(0.05)).toBe(0.95);
    expect(complementOf(0.001)).toBe(0.999);
  });
});

import { describe, expect, it } from 'vitest';
import { clip, percent, span, time } from '../../workflows/words.js';

describe('words', () => {
  it.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1_000, '1 s'],
    [59_999, '59 s'],
    [90_000, '1 min 30 s'],
    [3_600_000, '1 h'],
    [7_260_000, '2 h 1 min'],
    [604_800_000, '7 d'],
    [608_400_000, '7 d 1 h'],
  ])('says %i ms as %s', (ms, said) => {
    expect(span(ms)).toBe(said);
  });

  it.each([
    [0.05, '5%'],
    [0.025, '2.5%'],
    [0.07, '7%'],
    [1, '100%'],
  ])('says %f as %s', (share, said) => {
    expect(percent(share)).toBe(said);
  });

  it('says a time in UTC and clips what is too long', () => {
    expect(time(Date.UTC(2026, 10, 24, 9))).toBe('2026-11-24 09:00:00 UTC');
    expect([clip('four', 4), clip('five!', 4)]).toEqual(['four', 'fiv…']);
  });
});

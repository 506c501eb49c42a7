import { describe, expect, it } from 'vitest';
import { eValue, oddsRatio, percent, significant, whole } from '../../../src/statistics/assessment/words.js';

describe('words', () => {
  it.each([
    [0, '0%'],
    [0.00034, '0.034%'],
    [0.011, '1.1%'],
    [0.12, '12%'],
    [1, '100%'],
  ])('shows the rate %d as %s', (rate, text) => {
    expect(percent(rate)).toBe(text);
  });

  it.each([
    [-1e5, 'under 0.01'],
    [Math.log(0.3), '0.3'],
    [0, '1'],
    [Math.log(20), '20'],
    [Math.log(4200), '4,200'],
    [17.5 * Math.LN10, '10^17'],
    [300.1 * Math.LN10, '> 10^300'],
    [1e5, '> 10^300'],
    [Infinity, '> 10^300'],
  ])('shows the log e-value %d as %s', (logE, text) => {
    expect(eValue(logE)).toBe(text);
  });

  it('shows an interval with its open ends', () => {
    expect(oddsRatio([0.9, 1.4])).toBe('odds ratio 0.9 to 1.4');
    expect(oddsRatio([1.2, null])).toBe('odds ratio from 1.2');
    expect(oddsRatio([null, 0.5])).toBe('odds ratio up to 0.5');
    expect(oddsRatio([null, null])).toBe('odds ratio unknown yet');
  });

  it('keeps two significant digits below a hundred', () => {
    expect([0.0344, 1.25, 87.4, 1234.5].map(significant)).toEqual(['0.034', '1.3', '87', '1,235']);
    expect(whole(63.4)).toBe('63');
  });
});

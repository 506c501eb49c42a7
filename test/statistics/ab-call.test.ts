import { describe, expect, it } from 'vitest';
import { abCall, logDifference } from '../../src/statistics/ab-call.js';

const BOUND = Math.log(20);

describe('the call of an A/B comparison', () => {
  it.each([
    ['nothing is in', { worse: 0, better: 0, inside: 0 }, 'undecided'],
    ['one side alone is at the bound of a one-sided test', { worse: -9, better: BOUND, inside: null }, 'undecided'],
    ['one side alone is at twice that', { worse: -99, better: BOUND + Math.LN2, inside: null }, 'candidate-better'],
    ['the other side is', { worse: BOUND + Math.LN2, better: -99, inside: null }, 'stable-better'],
    ['both margins are excluded', { worse: 0, better: 0, inside: BOUND }, 'no-difference'],
    ['one margin is not excluded', { worse: 0, better: 0, inside: BOUND - 0.001 }, 'undecided'],
    ['a difference is shown, and shown to be small', { worse: 99, better: -99, inside: 99 }, 'no-difference'],
  ])('when %s', (_, logE, call) => {
    expect(abCall(logE, 0.05)).toBe(call);
  });

  it('takes the mean of both sides for a difference', () => {
    expect(logDifference({ worse: Math.log(3), better: Math.log(5) })).toBeCloseTo(Math.log(4), 12);
  });

  it('refuses what is no number, and no error rate', () => {
    expect(() => abCall({ worse: Number.NaN, better: 0, inside: null }, 0.05)).toThrow('log e-value');
    expect(() => abCall({ worse: 0, better: 0, inside: Number.NaN }, 0.05)).toThrow('log e-value');
    expect(() => abCall({ worse: 0, better: 0, inside: null }, 0)).toThrow('alpha');
  });
});

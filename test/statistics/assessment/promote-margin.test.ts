import { describe, expect, it } from 'vitest';
import { promoteMargins } from '../../../src/statistics/assessment/promote-margin.js';

const ratios = { early: 2, middle: 1.5, late: 1.25 };

describe('promote margins', () => {
  it('take the larger of the ratio and the absolute margin', () => {
    const { ladder, absoluteRate } = promoteMargins(0.01, { ratios, absolute: 0.02 });
    const odds = (rate: number): number => rate / (1 - rate);
    expect(ladder.late.test.limit).toBeCloseTo(Math.log(odds(0.03) / odds(0.01)), 12);
    expect(absoluteRate).toBeCloseTo(0.03, 12);
  });

  it('without an absolute margin test nothing without a control', () => {
    expect(promoteMargins(0.1, { ratios, absolute: 0 }).absoluteRate).toBeNull();
  });

  it('test nothing without a control where the margin reaches 1', () => {
    expect(promoteMargins(0.9, { ratios, absolute: 0.2 }).absoluteRate).toBeNull();
  });
});

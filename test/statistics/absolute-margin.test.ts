import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { absoluteMarginLogE, gateLogE } from '../../src/statistics/absolute-margin.js';
import { StatisticsError } from '../../src/statistics/errors.js';

const MARGIN = 0.0051;

describe('absoluteMarginLogE', () => {
  it('opens a gate alone after about 770 clean requests at +0.5 points', () => {
    const bar = Math.log(20);
    const nothing = -Infinity;
    expect(gateLogE(nothing, absoluteMarginLogE(0, 760, MARGIN))).toBeLessThan(bar);
    expect(gateLogE(nothing, absoluteMarginLogE(0, 770, MARGIN))).toBeGreaterThan(bar);
  });

  it('grows with each clean request and shrinks with each event', () => {
    const trials = fc.integer({ min: 1, max: 100_000 });
    const cases = trials.chain((n) => fc.tuple(fc.constant(n), fc.integer({ min: 0, max: n - 1 })));
    fc.assert(
      fc.property(cases, fc.double({ min: 0.0001, max: 0.9, noNaN: true }), ([n, events], margin) => {
        const now = absoluteMarginLogE(events, n, margin);
        expect(absoluteMarginLogE(events, n + 1, margin)).toBeGreaterThan(now);
        expect(absoluteMarginLogE(events + 1, n, margin)).toBeLessThan(now);
      }),
    );
  });

  it('has mean 1 when the rate is the margin', () => {
    const n = 200;
    let mean = 0;
    let probability = (1 - MARGIN) ** n;
    for (let events = 0; events <= n; events++) {
      mean += probability * Math.exp(absoluteMarginLogE(events, n, MARGIN));
      probability *= ((n - events) / (events + 1)) * (MARGIN / (1 - MARGIN));
    }
    expect(mean).toBeCloseTo(1, 12);
  });

  it('is exactly 1 before there are requests', () => {
    expect(absoluteMarginLogE(0, 0, MARGIN)).toBeCloseTo(0, 14);
  });

  it('takes so many times the requests for the same alternatives under a design effect', () => {
    fc.assert(
      fc.property(fc.nat(20), fc.nat(2000), fc.integer({ min: 1, max: 6 }), (events, clean, effect) => {
        const once = absoluteMarginLogE(events, events + clean, MARGIN);
        expect(absoluteMarginLogE(effect * events, effect * (events + clean), MARGIN, effect)).toBeCloseTo(once, 9);
      }),
    );
    expect(() => absoluteMarginLogE(0, 10, MARGIN, 0)).toThrow('design effect must be positive');
  });

  it.each([
    [-1, 10, MARGIN, 'counts must be non-negative integers'],
    [1, 10.5, MARGIN, 'counts must be non-negative integers'],
    [11, 10, MARGIN, 'events exceed trials'],
    [0, 10, 0, 'margin rate out of range'],
    [0, 10, 1, 'margin rate out of range'],
    [0, 10, Number.NaN, 'margin rate is not a number'],
  ])('refuses %d of %d at %d', (events, trials, margin, message) => {
    expect(() => absoluteMarginLogE(events, trials, margin)).toThrow(expect.objectContaining({ message }));
  });
});

describe('gateLogE', () => {
  it('is half of either e-value, and refuses NaN', () => {
    expect(gateLogE(Math.log(30), Math.log(10))).toBeCloseTo(Math.log(20), 12);
    expect(() => gateLogE(Number.NaN, 0)).toThrow(StatisticsError);
  });
});

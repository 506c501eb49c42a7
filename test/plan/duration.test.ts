import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatDuration, parseDuration } from '../../src/plan/duration.js';

describe('durations', () => {
  it.each([
    ['7d', 604_800_000],
    ['12h', 43_200_000],
    ['15m', 900_000],
    ['90s', 90_000],
    ['500ms', 500],
    ['1.5h', 5_400_000],
    [' 2 s ', 2000],
    ['0s', 0],
  ])('%s is %d ms', (text, ms) => {
    expect(parseDuration(text)).toEqual({ ok: true, value: ms });
  });

  it.each([
    ['90', 'a duration needs a unit. Write "90s", "90m", "90h" or "90d"'],
    ['7 days', 'not a duration. Write a number and a unit, such as "7d", "12h", "15m", "90s" or "500ms"'],
    ['-1s', 'not a duration. Write a number and a unit, such as "7d", "12h", "15m", "90s" or "500ms"'],
    ['', 'not a duration. Write a number and a unit, such as "7d", "12h", "15m", "90s" or "500ms"'],
    ['0.5ms', 'finer than a millisecond. Write whole milliseconds'],
    ['1001d', 'longer than 1000 days. Write a shorter duration'],
  ])('%j is refused', (text, why) => {
    expect(parseDuration(text)).toEqual({ ok: false, why });
  });

  it.each([
    [604_800_000, '7d'],
    [90_000, '90s'],
    [5_400_000, '90m'],
    [500, '500ms'],
    [0, '0s'],
  ])('%d ms is written %s', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });

  it('reads back what it writes', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 86_400_000_000 }), (ms) => {
        expect(parseDuration(formatDuration(ms))).toEqual({ ok: true, value: ms });
      }),
    );
  });
});

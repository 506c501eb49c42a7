import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lookTimes } from '../../src/plan/looks.js';

const WEEK = 604_800_000;

describe('scheduled looks', () => {
  it('begin within seconds and end with the stage', () => {
    const times = lookTimes(WEEK, WEEK);
    expect(times).toHaveLength(24);
    expect(times[0]).toBe(5000);
    expect(times.at(-1)).toBe(WEEK);
  });

  it('go on through an extension within the same number', () => {
    const times = lookTimes(WEEK, 2 * WEEK);
    expect(times).toHaveLength(24);
    expect(times).toContain(WEEK);
    expect(times.at(-1)).toBe(2 * WEEK);
  });

  it('are few in a stage of seconds', () => {
    expect(lookTimes(14_000, 14_000)).toEqual([3500, 4410, 5556, 7000, 8819, 11_112, 14_000]);
  });

  it('ascend, are whole, at most 24, and hold both ends, whatever the stage', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1000, max: 35 * 86_400_000 }),
        fc.integer({ min: 0, max: 100 * 86_400_000 }),
        (durationMs, moreMs) => {
          const times = lookTimes(durationMs, durationMs + moreMs);
          expect(times.length).toBeLessThanOrEqual(24);
          expect(times).toContain(durationMs);
          expect(times).toContain(durationMs + moreMs);
          expect(times.every((time, index) => Number.isInteger(time) && time > (times[index - 1] ?? 0))).toBe(true);
          expect(times[0]).toBeLessThanOrEqual(5000);
        },
      ),
    );
  });
});

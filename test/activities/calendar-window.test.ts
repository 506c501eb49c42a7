import { describe, expect, it } from 'vitest';
import { windowState } from '../../activities/calendar-window.js';
import type { CalendarWindow } from '../../src/plan/types.js';

const at = (iso: string): number => Date.parse(iso);
const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());

const officeHours: CalendarWindow = {
  kind: 'weekly',
  days: [1, 2, 3, 4, 5],
  fromMinute: 9 * 60,
  toMinute: 17 * 60,
  timeZone: 'Europe/Berlin',
};

describe('a weekly window', () => {
  it.each([
    ['opens at nine', '2026-11-24T08:00:00Z', true],
    ['is closed a moment before', '2026-11-24T07:59:59Z', false],
    ['is open a moment before its end', '2026-11-24T15:59:59Z', true],
    ['is closed at its end', '2026-11-24T16:00:00Z', false],
    ['is closed on a Saturday', '2026-11-28T10:00:00Z', false],
    ['keeps to the wall clock in summer', '2026-07-07T07:00:00Z', true],
    ['is closed at eight in summer', '2026-07-07T06:59:59Z', false],
  ])('%s', (_what, now, open) => {
    expect(windowState(officeHours, at(now)).open).toBe(open);
  });

  it('opens next on the same day, after the weekend, and after the clocks change', () => {
    expect(iso(windowState(officeHours, at('2026-11-24T05:00:00Z')).opensAt)).toBe('2026-11-24T08:00:00.000Z');
    expect(iso(windowState(officeHours, at('2026-11-27T17:00:00Z')).opensAt)).toBe('2026-11-30T08:00:00.000Z');
    // Friday in summer time, Monday in winter time.
    expect(iso(windowState(officeHours, at('2026-10-23T16:00:00Z')).opensAt)).toBe('2026-10-26T08:00:00.000Z');
    // Friday in winter time, Monday in summer time.
    expect(iso(windowState(officeHours, at('2026-03-27T17:00:00Z')).opensAt)).toBe('2026-03-30T07:00:00.000Z');
  });

  it('goes on over midnight', () => {
    const night: CalendarWindow = { ...officeHours, days: [5], fromMinute: 22 * 60, toMinute: 6 * 60, timeZone: 'UTC' };
    expect(windowState(night, at('2026-11-27T23:00:00Z')).open).toBe(true);
    expect(windowState(night, at('2026-11-28T05:59:59Z')).open).toBe(true);
    expect(windowState(night, at('2026-11-28T06:00:00Z')).open).toBe(false);
    expect(windowState(night, at('2026-11-27T05:00:00Z')).open).toBe(false);
  });

  it('ends with the day where it is written so', () => {
    const evening: CalendarWindow = { ...officeHours, fromMinute: 18 * 60, toMinute: 24 * 60, timeZone: 'UTC' };
    expect(windowState(evening, at('2026-11-24T23:59:59Z')).open).toBe(true);
    expect(windowState(evening, at('2026-11-25T00:00:00Z')).open).toBe(false);
  });

  it('opens after the gap when its hour never comes, and at the first when it comes twice', () => {
    const early: CalendarWindow = {
      kind: 'weekly',
      days: [7],
      fromMinute: 2 * 60 + 30,
      toMinute: 5 * 60,
      timeZone: 'Europe/Berlin',
    };
    // 29 March 2026: 02:00 becomes 03:00.
    expect(iso(windowState(early, at('2026-03-28T12:00:00Z')).opensAt)).toBe('2026-03-29T01:30:00.000Z');
    expect(windowState(early, at('2026-03-29T01:29:59Z')).open).toBe(false);
    expect(windowState(early, at('2026-03-29T02:59:59Z')).open).toBe(true);
    expect(windowState(early, at('2026-03-29T03:00:00Z')).open).toBe(false);
    // 25 October 2026: 03:00 becomes 02:00.
    expect(iso(windowState(early, at('2026-10-24T12:00:00Z')).opensAt)).toBe('2026-10-25T00:30:00.000Z');
    expect(windowState(early, at('2026-10-25T03:59:59Z')).open).toBe(true);
    expect(windowState(early, at('2026-10-25T04:00:00Z')).open).toBe(false);
  });
});

describe('a window by rule', () => {
  const mornings: CalendarWindow = {
    kind: 'rrule',
    rule: 'FREQ=WEEKLY;BYDAY=TU,TH;BYHOUR=9;BYMINUTE=30;BYSECOND=0',
    durationMs: 2 * 3_600_000,
    timeZone: 'America/New_York',
  };

  it('stays open for its duration, by the wall clock of its zone', () => {
    expect(windowState(mornings, at('2026-11-24T14:29:59Z')).open).toBe(false);
    expect(windowState(mornings, at('2026-11-24T14:30:00Z')).open).toBe(true);
    expect(windowState(mornings, at('2026-11-24T16:29:59Z')).open).toBe(true);
    expect(windowState(mornings, at('2026-11-24T16:30:00Z')).open).toBe(false);
    // Summer time: the same wall clock, an hour earlier in UTC.
    expect(windowState(mornings, at('2026-07-07T13:30:00Z')).open).toBe(true);
  });

  it('opens next after the clocks change', () => {
    // 1 November 2026 ends summer time.
    expect(iso(windowState(mornings, at('2026-10-29T16:00:00Z')).opensAt)).toBe('2026-11-03T14:30:00.000Z');
  });

  it('finds a rule that comes once a year, and the end of one that ends', () => {
    const yearly: CalendarWindow = {
      kind: 'rrule',
      rule: 'FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYHOUR=0',
      durationMs: 60_000,
      timeZone: 'UTC',
    };
    expect(iso(windowState(yearly, at('2026-11-24T00:00:00Z')).opensAt)).toBe('2028-02-29T00:00:00.000Z');
    const ended: CalendarWindow = { ...yearly, rule: 'FREQ=DAILY;UNTIL=20250101T000000Z' };
    expect(windowState(ended, at('2026-11-24T00:00:00Z'))).toEqual({ open: false, opensAt: null });
  });

  it('counts every second hour from one fixed midnight', () => {
    const hourly: CalendarWindow = {
      kind: 'rrule',
      rule: 'FREQ=HOURLY;INTERVAL=7',
      durationMs: 60_000,
      timeZone: 'UTC',
    };
    const epoch = Date.UTC(2024, 0, 1);
    const step = 7 * 3_600_000;
    const now = at('2026-11-24T09:10:00Z');
    const expected = epoch + Math.ceil((now - epoch) / step) * step;
    expect(windowState(hourly, now)).toEqual({ open: false, opensAt: expected });
    expect(windowState(hourly, expected + 59_999).open).toBe(true);
    expect(windowState(hourly, expected + 60_000).open).toBe(false);
  });
});

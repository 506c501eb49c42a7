/** Is a calendar window open, and when does it open next? */
// oxlint-disable-next-line import/default -- a CommonJS module: Node hands out its exports as the default
import rrule from 'rrule';
import type { CalendarWindow } from '../src/plan/types.js';
import { instantOf, wallOf, wallTime } from './zoned-time.js';

export interface WindowState {
  readonly open: boolean;
  /** When it opens next, Unix ms; null while it is open, and for a rule that never comes again. */
  readonly opensAt: number | null;
}

const DAY_MS = 86_400_000;

/** Rules count their intervals from this Monday, midnight of their own time zone. */
const RULE_EPOCH = Date.UTC(2024, 0, 1);

/** State at `now`, Unix ms by Temporal's clock. */
export function windowState(window: CalendarWindow, now: number): WindowState {
  switch (window.kind) {
    case 'weekly':
      return weeklyState(window, now);
    case 'rrule':
      return ruleState(window, now);
  }
}

function weeklyState(window: Extract<CalendarWindow, { kind: 'weekly' }>, now: number): WindowState {
  const today = new Date(wallOf(now, window.timeZone));
  let opensAt: number | null = null;
  // Yesterday's may still be open, and a week holds every day that there is.
  for (let ahead = -1; ahead <= 8; ahead += 1) {
    const date = {
      year: today.getUTCFullYear(),
      month: today.getUTCMonth() + 1,
      day: today.getUTCDate() + ahead,
    };
    const weekday = new Date(wallTime({ ...date, minute: 0 })).getUTCDay() || 7;
    if (!window.days.includes(weekday)) continue;
    const overnight = window.toMinute <= window.fromMinute;
    const from = instantOf(wallTime({ ...date, minute: window.fromMinute }), window.timeZone);
    const to = instantOf(
      wallTime({ ...date, day: date.day + (overnight ? 1 : 0), minute: window.toMinute }),
      window.timeZone,
    );
    if (from <= now && now < to) return { open: true, opensAt: null };
    if (from > now && (opensAt === null || from < opensAt)) opensAt = from;
  }
  return { open: false, opensAt };
}

function ruleState(window: Extract<CalendarWindow, { kind: 'rrule' }>, now: number): WindowState {
  // The rule runs on wall-clock time as if it were UTC; each occurrence is put into the zone afterwards.
  const wallNow = wallOf(now, window.timeZone);
  const rule = ruleOf(window.rule, wallNow - window.durationMs);
  const from = new Date(wallNow - window.durationMs - DAY_MS);
  for (const start of rule.between(from, new Date(wallNow + DAY_MS), true)) {
    const instant = instantOf(start.getTime(), window.timeZone);
    if (instant <= now && now < instant + window.durationMs) return { open: true, opensAt: null };
    if (instant > now) return { open: false, opensAt: instant };
  }
  const next = rule.after(new Date(wallNow), false);
  return { open: false, opensAt: next === null ? null : instantOf(next.getTime(), window.timeZone) };
}

function ruleOf(text: string, needed: number): InstanceType<typeof rrule.RRule> {
  const written = rrule.RRule.parseString(text);
  return new rrule.RRule({ ...written, dtstart: new Date(startOf(written, needed)) });
}

/** A rule of hours or less would step through years from the epoch: it starts later, on one of its own steps. */
function startOf(
  written: { readonly freq?: number | undefined; readonly interval?: number | undefined },
  needed: number,
): number {
  const { HOURLY, MINUTELY, SECONDLY } = rrule.RRule;
  const unit = new Map<number, number>([
    [HOURLY, 3_600_000],
    [MINUTELY, 60_000],
    [SECONDLY, 1_000],
  ]).get(written.freq ?? rrule.RRule.YEARLY);
  if (unit === undefined) return RULE_EPOCH;
  const step = unit * (written.interval ?? 1);
  return RULE_EPOCH + Math.max(0, Math.floor((needed - 2 * DAY_MS - RULE_EPOCH) / step) * step);
}

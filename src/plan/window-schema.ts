/** Calendar windows as people write them: days and hours of a week, or an RRULE. */
// oxlint-disable-next-line import/default -- a CommonJS module: Node hands out its exports as the default
import rrule from 'rrule';
import { z } from 'zod';
import { duration, mapping, wanted } from './scalar-schema.js';
import type { CalendarWindow } from './types.js';

const DAYS = ['Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun'] as const;
const EVERY_DAY = [1, 2, 3, 4, 5, 6, 7];
const DAY_MINUTES = 24 * 60;

const timeZone = z
  .string({ error: wanted('a time zone such as "Europe/Berlin" or "UTC"') })
  .refine(isTimeZone, {
    error: 'no time zone known here. Write one of the IANA database, such as "Europe/Berlin" or "UTC"',
  })
  .describe('Time zone of the window, by its name in the IANA database.');

const days = z
  .union([z.string(), z.array(z.string())], { error: wanted('days such as "Mon-Fri" or ["Mon", "Wed"]') })
  .transform((written, context) => {
    const found = dayNumbers(typeof written === 'string' ? written.split(',') : written);
    if (found !== null) return found;
    context.issues.push({
      code: 'custom',
      message: `not days of the week. Write "Mon-Fri" or a list of ${DAYS.join(', ')}`,
      input: written,
    });
    return z.NEVER;
  })
  .meta({
    description: 'Days of the week: a range "Mon-Fri", or a list. Every day when it is absent.',
  });

const hours = z
  .string({ error: wanted('hours such as "09:00-17:00"') })
  .transform((written, context) => {
    const match = /^(\d{1,2}):(\d\d) ?- ?(\d{1,2}):(\d\d)$/.exec(written.trim());
    const [fromHour, fromRest, toHour, toRest] = (match ?? []).slice(1).map(Number);
    if (fromHour !== undefined && fromRest !== undefined && toHour !== undefined && toRest !== undefined) {
      const range = { fromMinute: fromHour * 60 + fromRest, toMinute: toHour * 60 + toRest };
      const legal = fromRest < 60 && toRest < 60 && range.fromMinute < DAY_MINUTES && range.toMinute <= DAY_MINUTES;
      if (legal && range.fromMinute !== range.toMinute) return range;
    }
    context.issues.push({
      code: 'custom',
      message: 'not a range of hours. Write "09:00-17:00"; "22:00-06:00" goes on into the next day',
      input: written,
    });
    return z.NEVER;
  })
  .meta({
    description: 'Hours of the day, the end excluded; an end before the start is in the next day.',
  });

const weekly = mapping('a window', { days: days.optional(), hours, timeZone }).transform((written): CalendarWindow => ({
  kind: 'weekly',
  days: written.days ?? EVERY_DAY,
  ...written.hours,
  timeZone: written.timeZone,
}));

const byRule = mapping('a window', {
  rrule: z
    .string({ error: wanted('a recurrence rule such as "FREQ=WEEKLY;BYDAY=MO,TU;BYHOUR=9"') })
    .refine(isRule, {
      error:
        'not a recurrence rule of hours or longer. Write the rule of RFC 5545 alone, such as "FREQ=WEEKLY;BYDAY=MO,TU;BYHOUR=9"',
    })
    .meta({
      description: 'Recurrence rule (RFC 5545) of the times at which the window opens.',
    }),
  for: duration('How long the window stays open each time.', 60_000, 7 * 86_400_000),
  timeZone,
}).transform((written): CalendarWindow => ({
  kind: 'rrule',
  rule: written.rrule,
  durationMs: written.for,
  timeZone: written.timeZone,
}));

/** A calendar window; opens for the next increase of traffic, never closes one that has begun. */
export const calendarWindow = z
  .union([weekly, byRule], {
    error: wanted('a window such as { days: Mon-Fri, hours: 09:00-17:00, timeZone: Europe/Berlin }'),
  })
  .describe('When the stage may begin: weekly hours, or a recurrence rule.');

/** ISO numbers of the days, 1 Monday to 7 Sunday, ascending; null when a word is no day. */
function dayNumbers(parts: readonly string[]): readonly number[] | null {
  const found = new Set<number>();
  for (const part of parts) {
    const [from, to = from] = part.split('-').map(dayNumber);
    if (from === undefined || to === undefined || from === 0 || to === 0) return null;
    for (let day = from; ; day = (day % 7) + 1) {
      found.add(day);
      if (day === to) break;
    }
  }
  return found.size === 0 ? null : [...found].toSorted((left, right) => left - right);
}

function dayNumber(word: string): number {
  return DAYS.findIndex((day) => day.toLowerCase() === word.trim().slice(0, 3).toLowerCase()) + 1;
}

/** A name of the IANA database that this runtime knows. */
export function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** A recurrence rule alone; finer than hours would be no window. */
export function isRule(text: string): boolean {
  if (!/^FREQ=/i.test(text) || /DTSTART/i.test(text)) return false;
  try {
    return new rrule.RRule(rrule.RRule.parseString(text)).options.freq <= rrule.RRule.HOURLY;
  } catch {
    return false;
  }
}

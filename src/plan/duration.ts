/** Durations as people write them: `7d`, `12h`, `15m`, `90s`, `500ms`. */
import type { Parsed } from './problem.js';

const UNITS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1000, ms: 1 } as const;

const DURATION = /^(\d{1,12}(?:\.\d{1,9})?) ?(ms|[dhms])$/;

/** Pattern of a duration for editors. */
export const DURATION_PATTERN = '^\\d+(\\.\\d+)? ?(ms|d|h|m|s)$';

function isUnit(text: string | undefined): text is keyof typeof UNITS {
  return text !== undefined && Object.hasOwn(UNITS, text);
}

/** Milliseconds of a duration, a whole number; at most 1,000 days. */
export function parseDuration(text: string): Parsed<number> {
  const trimmed = text.trim();
  if (/^\d+(\.\d+)?$/.test(trimmed)) return { ok: false, why: withoutUnit(trimmed) };
  const match = DURATION.exec(trimmed);
  const unit = match?.[2];
  if (match === null || !isUnit(unit))
    return {
      ok: false,
      why: 'not a duration. Write a number and a unit, such as "7d", "12h", "15m", "90s" or "500ms"',
    };
  const exact = Number(match[1]) * UNITS[unit];
  const ms = Math.round(exact);
  if (Math.abs(exact - ms) > 1e-6) return { ok: false, why: 'finer than a millisecond. Write whole milliseconds' };
  if (ms > 1000 * UNITS.d) return { ok: false, why: 'longer than 1000 days. Write a shorter duration' };
  return { ok: true, value: ms };
}

/** What to say of a number without unit. */
export function withoutUnit(amount: string): string {
  return `a duration needs a unit. Write "${amount}s", "${amount}m", "${amount}h" or "${amount}d"`;
}

/** The shortest way to write whole milliseconds as one number with unit; `parseDuration` reads it back. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  for (const [unit, size] of Object.entries(UNITS)) if (ms % size === 0) return `${ms / size}${unit}`;
  return `${ms}ms`;
}

/** Wall-clock times of a time zone and the instants they are, over changes of summer time. */

export interface WallTime {
  readonly year: number;
  /** 1..12 */
  readonly month: number;
  /** 1..31; beyond the month's end it runs on into the next. */
  readonly day: number;
  /** Minutes since midnight; beyond 24 h it runs on into the next day. */
  readonly minute: number;
}

const DAY_MS = 86_400_000;

/** Wall-clock time of an instant, as if it were UTC: a number to do calendar arithmetic with. */
export function wallOf(instant: number, timeZone: string): number {
  return instant + offsetAt(instant, timeZone);
}

/**
 * The instant of a wall-clock time. One that comes twice (clocks set back) is its first; one that never comes (clocks set
 * forward) is as far after the change as it was meant after the old time.
 * @param wall Unix ms as if the wall clock were UTC
 */
export function instantOf(wall: number, timeZone: string): number {
  const before = offsetAt(wall - DAY_MS, timeZone);
  const after = offsetAt(wall + DAY_MS, timeZone);
  const candidates = [wall - before, wall - after].filter((instant) => wallOf(instant, timeZone) === wall);
  return candidates.length === 0 ? wall - before : Math.min(...candidates);
}

/** Wall time as the number that `wallOf` gives. */
export function wallTime({ year, month, day, minute }: WallTime): number {
  return Date.UTC(year, month - 1, day, 0, minute);
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** Ms by which the zone's wall clock is ahead of UTC at an instant. */
function offsetAt(instant: number, timeZone: string): number {
  const parts = new Map(
    formatOf(timeZone)
      .formatToParts(instant)
      .map(({ type, value }) => [type, Number(value)]),
  );
  const part = (name: Intl.DateTimeFormatPartTypes): number => parts.get(name) ?? 0;
  const wall = Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second'));
  return wall - Math.floor(instant / 1_000) * 1_000;
}

function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  formats.set(timeZone, format);
  return format;
}

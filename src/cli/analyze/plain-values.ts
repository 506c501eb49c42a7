/** Values as programs write them, read from bytes without making a text of them. */
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const COLON = 0x3a;
const PLUS = 0x2b;
const UPPER_T = 0x54;
const UPPER_Z = 0x5a;

/** What the readers answer when the bytes are not plain; the values themselves are never negative. */
export const NOT_PLAIN = -2;

/** Up to so many digits a decimal is read as exactly as by JSON.parse: an exact integer, divided once. */
const MOST_DIGITS = 15;
const POWERS = Float64Array.from({ length: MOST_DIGITS + 1 }, (_, exponent) => 10 ** exponent);

/** Digits with at most one point among them; no sign, no exponent, no superfluous zero. */
export function decimalAt(bytes: Buffer, start: number, end: number): number {
  let digits = 0;
  let point = -1;
  for (let at = start; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte === DOT && point < 0) {
      point = at;
    } else if (byte >= ZERO && byte <= NINE) {
      digits = digits * 10 + (byte - ZERO);
    } else {
      return NOT_PLAIN;
    }
  }
  const whole = (point < 0 ? end : point) - start;
  const fraction = point < 0 ? 0 : end - point - 1;
  if (whole === 0 || (point >= 0 && fraction === 0)) return NOT_PLAIN;
  if (whole > 1 && bytes[start] === ZERO) return NOT_PLAIN;
  if (whole + fraction > MOST_DIGITS) return Number(bytes.toString('latin1', start, end));
  return point < 0 ? digits : digits / (POWERS[fraction] ?? Number.NaN);
}

/** Where the seconds of an instant end. */
const SECONDS_END = 19;

/** Reads `2026-11-24T09:00:00Z`, with a fraction of the second or without, or `+00:00` at its end, as Unix ms. */
export class InstantReader {
  /** The day that was read last, as a number of its digits, and when it began. */
  #day = -1;
  #dayMs = 0;

  at(bytes: Buffer, start: number, end: number): number {
    if (end - start < SECONDS_END + 1) return NOT_PLAIN;
    const hour = digitsAt(bytes, start + 11, 2);
    const minute = digitsAt(bytes, start + 14, 2);
    const second = digitsAt(bytes, start + 17, 2);
    if (
      bytes[start + 10] !== UPPER_T ||
      bytes[start + 13] !== COLON ||
      bytes[start + 16] !== COLON ||
      !(hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60)
    )
      return NOT_PLAIN;
    const zone = zoneAt(bytes, start + SECONDS_END, end);
    const dayMs = this.#dayAt(bytes, start);
    if (dayMs < 0 || zone < 0) return NOT_PLAIN;
    return dayMs + ((hour * 60 + minute) * 60 + second) * 1000 + millisecondsAt(bytes, start + SECONDS_END, zone);
  }

  #dayAt(bytes: Buffer, start: number): number {
    const year = digitsAt(bytes, start, 4);
    const month = digitsAt(bytes, start + 5, 2);
    const date = digitsAt(bytes, start + 8, 2);
    if (year < 1970 || month < 1 || date < 1) return NOT_PLAIN;
    if (bytes[start + 4] !== MINUS || bytes[start + 7] !== MINUS) return NOT_PLAIN;
    const day = (year * 100 + month) * 100 + date;
    if (day !== this.#day) {
      const midnight = new Date(Date.UTC(year, month - 1, date));
      // The 31st of a month of 30 days.
      if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== date) return NOT_PLAIN;
      this.#day = day;
      this.#dayMs = midnight.getTime();
    }
    return this.#dayMs;
  }
}

/** Where the zone of an instant begins, behind its fraction; NOT_PLAIN unless it is UTC and the end. */
function zoneAt(bytes: Buffer, start: number, end: number): number {
  let at = start;
  if (bytes[at] === DOT) {
    at++;
    while (at < end && (bytes[at] ?? 0) >= ZERO && (bytes[at] ?? 0) <= NINE) at++;
    if (at === start + 1) return NOT_PLAIN;
  }
  if (bytes[at] === UPPER_Z && at + 1 === end) return at;
  const isOffset = bytes[at] === PLUS && at + 6 === end && bytes[at + 3] === COLON;
  return isOffset && digitsAt(bytes, at + 1, 2) === 0 && digitsAt(bytes, at + 4, 2) === 0 ? at : NOT_PLAIN;
}

/** Of the fraction between `start`, its point, and `end`: what is finer than a millisecond is cut off. */
function millisecondsAt(bytes: Buffer, start: number, end: number): number {
  let ms = 0;
  for (let digit = 1; digit <= 3; digit++) {
    const at = start + digit;
    ms = ms * 10 + (at < end ? (bytes[at] ?? ZERO) - ZERO : 0);
  }
  return ms;
}

function digitsAt(bytes: Buffer, start: number, count: number): number {
  let value = 0;
  for (let at = start; at < start + count; at++) {
    const byte = bytes[at] ?? 0;
    if (byte < ZERO || byte > NINE) return NOT_PLAIN;
    value = value * 10 + (byte - ZERO);
  }
  return value;
}

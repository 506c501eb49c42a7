/** Numbers as people read them, from whole numbers alone. */

const UNITS = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1_000],
] as const;

/** A time span in its two largest units: `6 d 23 h`, `4 min`, `800 ms`. */
export function span(ms: number): string {
  const index = UNITS.findIndex(([, size]) => ms >= size);
  const unit = UNITS[index];
  if (unit === undefined) return `${Math.max(0, Math.floor(ms))} ms`;
  const [name, size] = unit;
  const rest = UNITS[index + 1];
  const count = Math.floor(ms / size);
  const remainder = rest === undefined ? 0 : Math.floor((ms - count * size) / rest[1]);
  return rest === undefined || remainder === 0 ? `${count} ${name}` : `${count} ${name} ${remainder} ${rest[0]}`;
}

/** Unix ms as `2026-11-24 09:00:00 UTC`. */
export function time(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** A share as `5%`, at most one digit after the point; for people only. */
export function percent(share: number): string {
  return `${percentNumber(share)}%`;
}

/** A share as a number of per cent, at most one digit after the point; for people only. */
export function percentNumber(share: number): number {
  return Math.round(share * 1_000) / 10;
}

export function clip(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1)}…`;
}

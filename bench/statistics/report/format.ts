import { upperLimit } from '../sampling/binomial-limit.js';

/** `3.3 %`, `0.27 %`, `100 %`. */
export function percent(share: number): string {
  const value = 100 * share;
  return `${value >= 10 ? value.toFixed(1).replace('.0', '') : String(Number(value.toPrecision(2)))} %`;
}

/** Share of runs with its one-sided 95 % upper limit: `3.3 % (≤ 3.6 %)`. */
export function rate(successes: number, runs: number): string {
  if (successes === runs) return percent(1);
  return `${percent(successes / runs)} (≤ ${percent(upperLimit(successes, runs))})`;
}

/** Whole numbers with thousands set apart; `–` for none. */
export function whole(value: number): string {
  return Number.isFinite(value) ? Math.round(value).toLocaleString('en-US') : '–';
}

/** A factor with two digits: `1.38 ×`. */
export function times(value: number): string {
  return `${value.toFixed(2)} ×`;
}

/** How many runs stopped. */
export function stopped(stops: Float64Array): number {
  return stops.reduce((sum, look) => sum + (look === Infinity ? 0 : 1), 0);
}

/** The middle value; Infinity when half of them are. */
export function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Infinity;
}

/** Numbers as people read them. */

/** e^700 is still a double; beyond ln(10^300) the number says nothing that "> 10^300" does not. */
const LARGEST_SHOWN = 300 * Math.LN10;

/** A rate as a percentage of two significant digits: `1.1%`, `0.034%`, `12%`, `0%`. */
export function percent(rate: number): string {
  return `${significant(100 * rate)}%`;
}

/** An e-value from its natural logarithm: `0.3`, `12`, `4,200`, `10^17`, `> 10^300`. */
export function eValue(logE: number): string {
  if (logE > LARGEST_SHOWN) return '> 10^300';
  if (logE > Math.log(1e6)) return `10^${Math.floor(logE / Math.LN10)}`;
  const value = Math.exp(logE);
  return value < 0.01 ? 'under 0.01' : significant(value);
}

/** Two significant digits; whole numbers from 100 on, with thousands set apart: `0.034`, `1.1`, `87`, `1,234`. */
export function significant(value: number): string {
  if (value === 0) return '0';
  if (Math.abs(value) >= 100) return whole(value);
  return String(Number(value.toPrecision(2)));
}

/** A whole number with thousands set apart. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** A confidence sequence of an odds ratio: `odds ratio 0.9 to 1.4`, `odds ratio from 1.2`, `odds ratio unknown yet`. */
export function oddsRatio([low, high]: readonly [number | null, number | null]): string {
  if (low === null && high === null) return 'odds ratio unknown yet';
  if (low === null) return `odds ratio up to ${significant(high ?? 0)}`;
  if (high === null) return `odds ratio from ${significant(low)}`;
  return `odds ratio ${significant(low)} to ${significant(high)}`;
}

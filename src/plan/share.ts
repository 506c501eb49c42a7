/** Shares as people write them: `5%`, `2.5%`, at most four decimals. */
import type { Parsed } from './problem.js';

const SHARE = /^(-?\d{1,6}(?:\.\d+)?) ?%$/;

/** Pattern of a share for editors. */
export const SHARE_PATTERN = '^\\d{1,3}(\\.\\d{1,4})? ?%$';

/** A share as a fraction, 0..1. */
export function parseShare(text: string): Parsed<number> {
  const trimmed = text.trim();
  const bare = Number(trimmed);
  if (trimmed !== '' && Number.isFinite(bare)) return { ok: false, why: withoutPercent(bare) };
  const match = SHARE.exec(trimmed);
  if (match === null) return { ok: false, why: 'not a share. Write a percentage, such as "5%"' };
  const percent = Number(match[1]);
  if (percent > 100) return { ok: false, why: 'above 100%. Write a share from 0% to 100%, such as "5%"' };
  if (percent < 0) return { ok: false, why: 'below 0%. Write a share from 0% to 100%, such as "5%"' };
  const fraction = fractionOf(percent);
  if (Math.abs(fraction * 100 - percent) > 1e-9)
    return { ok: false, why: 'finer than 0.0001%. Write at most four decimals' };
  return { ok: true, value: fraction };
}

/** What to say of a number without percent sign. */
export function withoutPercent(value: number): string {
  const asPercent = `"${value}%"`;
  const asFraction = value > 0 && value < 1 ? ` or, if it is meant as a fraction, "${formatShare(value)}"` : '';
  return `a share needs a percent sign. Write ${asPercent}${asFraction}`;
}

function fractionOf(percent: number): number {
  return Number((percent / 100).toFixed(6));
}

/** What is left of 1 beside a share, without the dust of binary fractions: 0.95 beside 0.05. */
export function complementOf(share: number): number {
  return Number((1 - share).toFixed(6));
}

/** Percent of a fraction as a plain decimal: `2.5` for 0.025. */
export function percentOf(share: number): number {
  return Number((share * 100).toFixed(4));
}

/** The share as people write it; `parseShare` reads it back. */
export function formatShare(share: number): string {
  return `${percentOf(share)}%`;
}

import { erfc } from '../../statistics/normal-distribution.js';

/** Beyond this many standard deviations a double's Φ is 0 or 1. */
const FAR = 40;

/** P(Z > z) of a standard normal. Throws on NaN. */
export function normalTail(z: number): number {
  return erfc(z / Math.SQRT2) / 2;
}

/** The z with P(Z ≤ z) = quantile, in (0, 1), by bisection. */
export function normalQuantile(quantile: number): number {
  let low = -FAR;
  let high = FAR;
  for (;;) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) return middle;
    if (normalTail(middle) > 1 - quantile) low = middle;
    else high = middle;
  }
}

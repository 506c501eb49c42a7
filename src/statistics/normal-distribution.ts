import { requireNumber } from './checks.js';

/** Below it erf is summed as a series of positive terms, above it erfc is a quickly converging continued fraction. */
const TAIL_FROM = 2;
const CONTINUED_FRACTION_TERMS = 80;

/** erf(x) = 2/√π·e^(−x²)·Σ 2^k·x^(2k+1)/(1·3·…·(2k+1)), for |x| < 2. */
function erfSeries(x: number): number {
  let term = x;
  let sum = x;
  for (let k = 1; Math.abs(term) > 1e-17 * Math.abs(sum); k++) {
    term *= (2 * x * x) / (2 * k + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** e^(x²)·erfc(x) for x ≥ 2: 1/√π divided by the continued fraction x + (1/2)/(x + (2/2)/(x + (3/2)/(x + …))). */
function scaledTail(x: number): number {
  let fraction = x;
  for (let k = CONTINUED_FRACTION_TERMS; k >= 1; k--) fraction = x + k / 2 / fraction;
  return 1 / (Math.sqrt(Math.PI) * fraction);
}

/** erfc(x) = 1 − erf(x), relative error < 1e-13. Throws on NaN. */
export function erfc(x: number): number {
  requireNumber(x, 'argument');
  if (x >= TAIL_FROM) return Math.exp(-x * x) * scaledTail(x);
  if (x <= -TAIL_FROM) return 2 - erfc(-x);
  return 1 - erfSeries(x);
}

/** e^(x²)·erfc(x), which neither underflows for large x nor loses digits; for x ≥ 0. Throws on NaN. */
export function scaledErfc(x: number): number {
  requireNumber(x, 'argument');
  return x >= TAIL_FROM ? scaledTail(x) : Math.exp(x * x) * erfc(x);
}

/** ln Φ(z), also far out in the lower tail, where Φ underflows. Throws on NaN. */
export function logNormalCdf(z: number): number {
  const x = -z / Math.SQRT2;
  return x >= TAIL_FROM ? Math.log(scaledErfc(x) / 2) - x * x : Math.log(erfc(x) / 2);
}

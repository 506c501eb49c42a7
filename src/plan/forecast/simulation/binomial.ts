import { requireCount, requireRate } from '../../../statistics/checks.js';
import { stirlingRemainder } from '../../../statistics/stirling.js';
import type { Random } from './random.js';

/** Below this mean the sum of the distribution is walked; above it a rejection takes fewer steps. */
const WALKED_MEAN = 10;

/** An exact draw: how many of `trials` are events of probability `rate`. Throws unless trials is a count and rate in [0, 1]. */
export function drawBinomial(trials: number, rate: number, random: Random): number {
  requireCount(trials);
  requireRate(rate, 'rate');
  if (trials === 0 || rate === 0) return 0;
  if (rate > 0.5) return trials - drawBinomial(trials, 1 - rate, random);
  return trials * rate < WALKED_MEAN ? walk(trials, rate, random) : reject(trials, rate, random);
}

/** How many of `trials` fall on each of `shares`, which need not sum to 1: binomial draws of what is left. */
export function drawMultinomial(trials: number, shares: readonly number[], random: Random): number[] {
  let left = trials;
  let rest = shares.reduce((sum, share) => sum + share, 0);
  const counts = shares.map((share, index) => {
    if (left === 0) return 0;
    const isLast = index === shares.length - 1;
    const count = isLast ? left : drawBinomial(left, Math.min(1, share / rest), random);
    left -= count;
    // What is left of a sum of floats must never fall below the next share.
    rest = Math.max(rest - share, shares[index + 1] ?? 0);
    return count;
  });
  return counts;
}

/** Inversion: down the distribution from 0 on until a uniform number is used up. */
function walk(trials: number, rate: number, random: Random): number {
  const odds = rate / (1 - rate);
  for (;;) {
    let left = random.uniform();
    let term = Math.exp(trials * Math.log1p(-rate));
    for (let count = 0; count <= trials; count++) {
      if (left < term) return count;
      left -= term;
      term *= ((trials - count) / (count + 1)) * odds;
    }
    // The rounding of the sum left nothing to fall on: once in 10^15 draws.
  }
}

/** Transformed rejection with a squeeze: BTRS of Hörmann 1993, for a mean of at least 10 and a rate of at most ½. */
function reject(trials: number, rate: number, random: Random): number {
  const odds = rate / (1 - rate);
  const deviation = Math.sqrt(trials * rate * (1 - rate));
  const b = 1.15 + 2.53 * deviation;
  const a = -0.0873 + 0.0248 * b + 0.01 * rate;
  const centre = trials * rate + 0.5;
  const squeeze = 0.92 - 4.2 / b;
  const alpha = (2.83 + 5.1 / b) * deviation;
  const mode = Math.floor((trials + 1) * rate);
  for (;;) {
    const u = random.uniform() - 0.5;
    const v = random.uniform();
    const slope = 0.5 - Math.abs(u);
    const count = Math.floor(((2 * a) / slope + b) * u + centre);
    if (slope >= 0.07 && v <= squeeze) return count;
    if (count < 0 || count > trials) continue;
    const bound =
      (mode + 0.5) * Math.log((mode + 1) / (odds * (trials - mode + 1))) +
      (trials + 1) * Math.log((trials - mode + 1) / (trials - count + 1)) +
      (count + 0.5) * Math.log((odds * (trials - count + 1)) / (count + 1)) +
      stirlingRemainder(mode + 1) +
      stirlingRemainder(trials - mode + 1) -
      stirlingRemainder(count + 1) -
      stirlingRemainder(trials - count + 1);
    if (Math.log((v * alpha) / (a / slope ** 2 + b)) <= bound) return count;
  }
}

import { requireFinite, requireOpenRate } from './checks.js';
import { erfc, scaledErfc } from './normal-distribution.js';

/**
 * P(a log e-value has reached `threshold` after `nats` of expected evidence): first passage of a Brownian log likelihood
 * with drift 1 and variance 2 per nat, Φ((x − b)/√(2x)) + e^b·Φ(−(x + b)/√(2x)).
 *
 * The second part is written with the scaled erfc, e^b·Φ(−…) = ½·e^(−(x − b)²/4x)·erfcx((x + b)/(2√x)): e^b alone
 * overflows. 1 for a threshold of 0 or less. Throws on NaN, infinities. Source: method §9.2.
 */
export function crossingProbability(nats: number, threshold: number): number {
  requireFinite(nats, 'nats');
  requireFinite(threshold, 'threshold');
  if (threshold <= 0) return 1;
  if (nats <= 0) return 0;
  const scale = 2 * Math.sqrt(nats);
  const distance = (threshold - nats) / scale;
  return Math.min(1, (erfc(distance) + Math.exp(-(distance ** 2)) * scaledErfc((nats + threshold) / scale)) / 2);
}

/**
 * The nats of expected evidence after which a log e-value has reached `threshold` with probability `power`: the inverse
 * of `crossingProbability` in its first argument. 0 for a threshold of 0 or less. Throws unless 0 < power < 1.
 */
export function natsForPower(threshold: number, power: number): number {
  requireFinite(threshold, 'threshold');
  requireOpenRate(power, 'power');
  if (threshold <= 0) return 0;
  let low = 0;
  let high = threshold;
  while (crossingProbability(high, threshold) < power) high *= 2;
  for (;;) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) return middle;
    if (crossingProbability(middle, threshold) < power) low = middle;
    else high = middle;
  }
}

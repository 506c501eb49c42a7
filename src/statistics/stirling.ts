import { requirePositive } from './checks.js';

/** From here on five terms of Stirling's series are exact to 2e-14. */
const SERIES_FROM = 10;

/**
 * r(z) = ln Γ(z) − [(z − ½)·ln z − z + ½·ln 2π], the remainder of Stirling's formula, for z > 0; absolute error < 1e-13.
 *
 * Sums of log-gammas cancel to a fraction of their size; with the leading part cancelled on paper only this small
 * remainder is left to compute. Series to 1/z^9, below 10 shifted upwards by r(z) − r(z + 1) = (z + ½)·ln(1 + 1/z) − 1.
 */
export function stirlingRemainder(z: number): number {
  requirePositive(z, 'argument of the gamma function');
  let shifted = z;
  let below = 0;
  while (shifted < SERIES_FROM) {
    below += (shifted + 0.5) * Math.log1p(1 / shifted) - 1;
    shifted += 1;
  }
  const inverse = 1 / shifted;
  const square = inverse * inverse;
  return below + inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square * (1 / 1680 - square / 1188))));
}

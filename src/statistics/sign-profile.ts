import { requireCount, requireFinite } from './checks.js';
import type { Profile } from './table-profile.js';

/**
 * The evidence profile of judged pairs: ℓ(θ) = losses·θ − (losses + wins)·(softplus(θ) − ln 2), over `theta`.
 *
 * Each pair that is not a tie is the kernel with one candidate and one stable trial, so θ is the log odds of losing.
 * `losses` and `wins` are the candidate's; ties drop, and a verdict that disagrees with itself when the order of
 * presentation is swapped is a tie. Nats, exactly 0 at θ = 0. Throws on bad counts and a θ that is not finite.
 * Source: method §7.1.
 */
export function signProfile(theta: ArrayLike<number>, losses: number, wins: number): Profile {
  requireCount(losses);
  requireCount(wins);
  return Float64Array.from(theta, (point) => {
    requireFinite(point, 'theta');
    // softplus(θ) = max(θ, 0) + ln(1 + e^−|θ|): its linear part is taken off the losses, so nothing cancels far out.
    const linear = point > 0 ? -wins * point : losses * point;
    return linear - (losses + wins) * (Math.log1p(Math.exp(-Math.abs(point))) - Math.LN2);
  });
}

import { requireFinite, requirePositive } from './checks.js';
import { StatisticsError } from './errors.js';
import { logNormalCdf } from './normal-distribution.js';

/**
 * Robbins' normal mixture, two-sided: ½·ln(ρ/(V + ρ)) + S²/(2(V + ρ)), the log of ∫ exp(λS − λ²V/2) dN(0, 1/ρ).
 *
 * S: a sum with intrinsic variance V, mean 0 under H0; ρ tunes for the V at which it is tightest. For display of means,
 * never for a verdict. Nats. Throws on NaN, negative V and ρ ≤ 0. Source: Howard et al. 2021; method §5.4.
 */
export function robbinsTwoSided(sum: number, variance: number, rho: number): number {
  requireMixture(sum, variance, rho);
  return 0.5 * Math.log(rho / (variance + rho)) + (sum * sum) / (2 * (variance + rho));
}

/**
 * The one-sided mixture over λ > 0: ½·ln(4ρ/(V + ρ)) + S²/(2(V + ρ)) + ln Φ(S/√(V + ρ)). As `robbinsTwoSided`.
 */
export function robbinsOneSided(sum: number, variance: number, rho: number): number {
  requireMixture(sum, variance, rho);
  const spread = variance + rho;
  return 0.5 * Math.log((4 * rho) / spread) + (sum * sum) / (2 * spread) + logNormalCdf(sum / Math.sqrt(spread));
}

function requireMixture(sum: number, variance: number, rho: number): void {
  requireFinite(sum, 'sum');
  requireFinite(variance, 'variance');
  requirePositive(rho, 'rho');
  if (variance < 0) throw new StatisticsError('out-of-range', 'variance must not be negative');
}

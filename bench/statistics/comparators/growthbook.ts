/**
 * ρ = √((−2·ln α + ln(1 − 2·ln α)) / tuning): the parameter of GrowthBook's asymptotic confidence sequence, tightest at
 * `tuning` observations (5000 as shipped). Source: gbstats 0.8.0; Waudby-Smith et al. 2024, eq. 161 of its v7.
 */
export function growthbookRho(alpha: number, tuning = 5000): number {
  const doubled = -2 * Math.log(alpha);
  return Math.sqrt((doubled + Math.log1p(doubled)) / tuning);
}

export interface AsymptoticEstimate {
  readonly point: number;
  /** Of the point estimate, not of one observation. */
  readonly variance: number;
  readonly observations: number;
}

/**
 * GrowthBook's sequential interval, point ± σ·√(2(nρ² + 1)/(n²ρ²)·ln(√(nρ² + 1)/α)) with σ² = n·variance: two-sided,
 * asymptotic. Units of the point. Source: gbstats 0.8.0, SequentialTwoSidedTTest; Waudby-Smith et al. 2024.
 */
export function asymptoticConfidenceSequence(
  estimate: AsymptoticEstimate,
  rho: number,
  alpha: number,
): readonly [lower: number, upper: number] {
  const { point, variance, observations } = estimate;
  const scaled = observations * rho * rho;
  const factor =
    (2 * (scaled + 1) * Math.log(Math.sqrt(scaled + 1) / alpha)) / (observations * observations * rho * rho);
  const halfWidth = Math.sqrt(observations * variance) * Math.sqrt(factor);
  return [point - halfWidth, point + halfWidth];
}

/** ln Γ(z) for z > 0 by Lanczos' approximation (g = 7, nine terms), relative error below 1e-13. */
const LANCZOS = [
  0.9999999999998099, 676.5203681218851, -1259.1392167224028, 771.3234287776531, -176.6150291621406, 12.507343278686905,
  -0.13857109526572012, 9.984369578019572e-6, 1.5056327351493116e-7,
] as const;

function logGamma(z: number): number {
  const x = z - 1;
  const t = x + 7.5;
  let series = 0;
  for (const [i, term] of LANCZOS.entries()) series += i === 0 ? term : term / (x + i);
  return 0.5 * Math.log(2 * Math.PI) + (x + 0.5) * Math.log(t) - t + Math.log(series);
}

/** P(X ≤ successes) for X binomial. */
export function binomialCdf(successes: number, trials: number, rate: number): number {
  if (successes >= trials || rate <= 0) return 1;
  if (rate >= 1) return 0;
  // Summed downwards from the last term, so that the largest come first and tiny ones end it.
  let term = Math.exp(
    logGamma(trials + 1) -
      logGamma(successes + 1) -
      logGamma(trials - successes + 1) +
      successes * Math.log(rate) +
      (trials - successes) * Math.log1p(-rate),
  );
  let sum = term;
  for (let k = successes; k > 0 && term > 1e-18 * sum; k--) {
    term *= (k / (trials - k + 1)) * ((1 - rate) / rate);
    sum += term;
  }
  return sum;
}

/**
 * The one-sided upper Clopper-Pearson limit: the largest rate under which so few successes still have a chance of
 * 1 − confidence. Exact, never too low. 1 when every trial was a success.
 */
export function upperLimit(successes: number, trials: number, confidence = 0.95): number {
  if (successes >= trials) return 1;
  let low = successes / trials;
  let high = 1;
  for (let step = 0; step < 60; step++) {
    const middle = (low + high) / 2;
    if (binomialCdf(successes, trials, middle) > 1 - confidence) low = middle;
    else high = middle;
  }
  return high;
}

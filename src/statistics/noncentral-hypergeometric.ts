import type { Table } from './table.js';
import type { ThetaGrid } from './theta-grid.js';

/** A term this much smaller than the sum so far cannot change it. */
const NEGLIGIBLE = 1e-18;

/** Supports of at most so many steps are summed whole, as a polynomial; it is the quicker way up to here. */
const SHORT_SUPPORT = 256;

/**
 * Largest |θ|·steps of that polynomial. Below it no power of the odds leaves a double's range (e^600 = 1e260), and a
 * coefficient that underflowed (below 1e-308 of the largest) stays negligible when multiplied by such a power.
 */
const POLYNOMIAL_RANGE = 600;

/** Written anew for each table; a long stage would otherwise make millions of short-lived arrays. */
const coefficients = new Float64Array(SHORT_SUPPORT + 1);
let sums = new Float64Array(256);

/** Where the candidate's events can lie given the margins, and what their probabilities depend on. */
interface Support {
  readonly candidateTrials: number;
  readonly stableTrials: number;
  readonly events: number;
  readonly lowest: number;
  readonly highest: number;
}

/**
 * Adds ℓ(θ) = e·θ − [M(θ) − M(0)] to `profile` for each θ, without log-gamma (the formula is at `tableProfile`).
 *
 * Everything is relative to the most probable count at θ = 0, so nothing underflows or cancels: against 40-digit
 * arithmetic the error is below 1e-13 of |ℓ| (or of 1) up to 10^6 requests.
 */
export function addConditionalLikelihood(profile: Float64Array, grid: ThetaGrid, table: Table): void {
  const { candidateEvents, candidateTrials, stableTrials } = table;
  const events = candidateEvents + table.stableEvents;
  const lowest = Math.max(0, events - stableTrials);
  const highest = Math.min(candidateTrials, events);
  if (lowest === highest) return;
  const support: Support = { candidateTrials, stableTrials, events, lowest, highest };

  const steps = highest - lowest;
  if (steps <= SHORT_SUPPORT && steps * grid.largest <= POLYNOMIAL_RANGE) {
    addByPolynomial(profile, grid, candidateEvents, support);
  } else {
    addFromModes(profile, grid, candidateEvents, support);
  }
}

/** M(θ) as the logarithm of a polynomial in the odds, by Horner's rule: the quick way for the small tables of most intervals. */
function addByPolynomial(profile: Float64Array, grid: ThetaGrid, observed: number, support: Support): void {
  const { lowest, highest } = support;
  const steps = highest - lowest;
  const central = modeOf(support, 1) - lowest;
  coefficients[central] = 1;
  for (let k = central; k < steps; k++) coefficients[k + 1] = (coefficients[k] ?? 0) * termRatio(support, lowest + k);
  for (let k = central - 1; k >= 0; k--) coefficients[k] = (coefficients[k + 1] ?? 0) / termRatio(support, lowest + k);

  const { theta, odds } = grid;
  if (sums.length < odds.length) sums = new Float64Array(odds.length);
  evaluate(sums, odds, steps);
  const logCentralSum = Math.log(polynomial(steps, 1));
  for (let i = 0; i < theta.length; i++) {
    const logSum = Math.log(sums[i] ?? Number.NaN);
    profile[i] = (profile[i] ?? 0) + ((observed - lowest) * (theta[i] ?? 0) - logSum + logCentralSum);
  }
}

/**
 * M(θ) from the sum around θ's own mode, and a walk that joins the modes: for tables with many events.
 * Cost: O(grid · standard deviation + distance between the modes).
 */
function addFromModes(profile: Float64Array, grid: ThetaGrid, observed: number, support: Support): void {
  const centralMode = modeOf(support, 1);
  const logCentralSum = Math.log(sumFromMode(support, centralMode, 1));
  const { theta, odds: allOdds, above, below } = grid;
  // Outward from 0, so that the walk only ever leads away from the central mode: the rounding of a far point (ℓ of −10^5)
  // never reaches a near one.
  for (const indexes of [above, below]) {
    const path = new LogPath(support, centralMode);
    for (const i of indexes) {
      const point = theta[i] ?? 0;
      const odds = allOdds[i] ?? 1;
      const mode = modeOf(support, odds);
      const logSum = Math.log(sumFromMode(support, mode, odds));
      // (observed − mode)·θ instead of observed·θ − mode·θ: no cancellation, and exactly 0 at θ = 0.
      profile[i] = (profile[i] ?? 0) + ((observed - mode) * point - path.to(mode) - logSum + logCentralSum);
    }
  }
}

/** p(j + 1) / p(j) at θ = 0. */
function termRatio(support: Support, j: number): number {
  const { candidateTrials, stableTrials, events } = support;
  return ((candidateTrials - j) * (events - j)) / ((j + 1) * (stableTrials - events + j + 1));
}

/**
 * The most probable number of candidate events, or its neighbour: the root of A·m² + B·m + C = 0, where the term ratio
 * is 1, floored (Liao & Rosen 2001). The root is taken in the form that does not cancel.
 */
function modeOf(support: Support, odds: number): number {
  const { candidateTrials, stableTrials, events, lowest, highest } = support;
  const a = odds - 1;
  const b = -((candidateTrials + events + 2) * odds + stableTrials - events);
  const c = odds * (candidateTrials + 1) * (events + 1);
  let mode: number;
  if (Math.abs(a) < 1e-12) {
    mode = -c / b;
  } else {
    const root = Math.sqrt(b * b - 4 * a * c);
    // b > 0 needs odds < 1 and more events than stable trials; the other form would then give the negative root.
    mode = b > 0 ? (-b - root) / (2 * a) : (2 * c) / (root - b);
  }
  return Math.min(highest, Math.max(lowest, Math.floor(mode)));
}

/** Σ_j p(j)·odds^j divided by its term at `mode`. */
function sumFromMode(support: Support, mode: number, odds: number): number {
  let sum = 1;
  for (let j = mode, term = 1; j < support.highest; j++) {
    term *= odds * termRatio(support, j);
    sum += term;
    if (term < NEGLIGIBLE * sum) break;
  }
  for (let j = mode - 1, term = 1; j >= support.lowest; j--) {
    term /= odds * termRatio(support, j);
    sum += term;
    if (term < NEGLIGIBLE * sum) break;
  }
  return sum;
}

/**
 * The polynomial of `coefficients` up to a degree, at each point. By Horner's rule for four points at a time: a step waits for
 * the one before it at the same point, and a processor has room for four of them meanwhile.
 */
function evaluate(values: Float64Array, points: Float64Array, degree: number): void {
  let i = 0;
  for (; i + 3 < points.length; i += 4) {
    const first = points[i] ?? 0;
    const second = points[i + 1] ?? 0;
    const third = points[i + 2] ?? 0;
    const fourth = points[i + 3] ?? 0;
    let atFirst = 0;
    let atSecond = 0;
    let atThird = 0;
    let atFourth = 0;
    for (let k = degree; k >= 0; k--) {
      const coefficient = coefficients[k] ?? 0;
      atFirst = atFirst * first + coefficient;
      atSecond = atSecond * second + coefficient;
      atThird = atThird * third + coefficient;
      atFourth = atFourth * fourth + coefficient;
    }
    values[i] = atFirst;
    values[i + 1] = atSecond;
    values[i + 2] = atThird;
    values[i + 3] = atFourth;
  }
  for (; i < points.length; i++) values[i] = polynomial(degree, points[i] ?? 0);
}

function polynomial(degree: number, x: number): number {
  let value = 0;
  for (let k = degree; k >= 0; k--) value = value * x + (coefficients[k] ?? 0);
  return value;
}

/**
 * ln p(m) − ln p(origin) at θ = 0 for one m after another. It walks from the last m to the next and takes a logarithm
 * only when the running product is about to leave a double's range: fewer of them, and less rounding, than one a step.
 */
class LogPath {
  private readonly support: Support;
  private position: number;
  private logSoFar = 0;

  constructor(support: Support, origin: number) {
    this.support = support;
    this.position = origin;
  }

  to(target: number): number {
    const from = Math.min(this.position, target);
    const until = Math.max(this.position, target);
    let log = 0;
    let product = 1;
    for (let j = from; j < until; j++) {
      product *= termRatio(this.support, j);
      if (product > 1e250 || product < 1e-250) {
        log += Math.log(product);
        product = 1;
      }
    }
    log += Math.log(product);
    this.logSoFar += target >= this.position ? log : -log;
    this.position = target;
    return this.logSoFar;
  }
}

import { requireFinite } from './checks.js';
import { StatisticsError } from './errors.js';

/** Beyond ±300 nats the odds leave the range in which the mode can be computed; no rollout asks about odds of e^300. */
const LARGEST_THETA = 300;

/** The log odds ratios of a profile, and what each of thousands of tables needs of them. */
export interface ThetaGrid {
  readonly theta: Float64Array;
  /** exp(θ). */
  readonly odds: Float64Array;
  /** max |θ|. */
  readonly largest: number;
  /** Indexes of the points at or above 0, ascending by θ, and of those below, descending: outward from 0. */
  readonly above: readonly number[];
  readonly below: readonly number[];
}

/** By the object that holds the points; gone with it. */
const known = new WeakMap<ArrayLike<number>, ThetaGrid>();

/** Throws on a θ that is not a number within ±300. */
export function thetaGrid(theta: ArrayLike<number>): ThetaGrid {
  const kept = known.get(theta);
  // Compared rather than trusted: an array can be written to.
  if (kept !== undefined && hasSamePoints(kept.theta, theta)) return kept;
  const grid = computeGrid(theta);
  known.set(theta, grid);
  return grid;
}

function computeGrid(points: ArrayLike<number>): ThetaGrid {
  const theta = Float64Array.from(points);
  const above: number[] = [];
  const below: number[] = [];
  let largest = 0;
  for (const [index, point] of theta.entries()) {
    requireFinite(point, 'theta');
    largest = Math.max(largest, Math.abs(point));
    (point >= 0 ? above : below).push(index);
  }
  if (largest > LARGEST_THETA) throw new StatisticsError('out-of-range', 'theta must lie within 300 nats of 0');
  above.sort((left, right) => (theta[left] ?? 0) - (theta[right] ?? 0));
  below.sort((left, right) => (theta[right] ?? 0) - (theta[left] ?? 0));
  return { theta, odds: theta.map((point) => Math.exp(point)), largest, above, below };
}

function hasSamePoints(left: Float64Array, right: ArrayLike<number>): boolean {
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i++) if (left[i] !== right[i]) return false;
  return true;
}

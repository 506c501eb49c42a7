import { requirePositive, requireSameLength } from './checks.js';
import { addConditionalLikelihood } from './noncentral-hypergeometric.js';
import { requireTable } from './table.js';
import type { Table } from './table.js';
import { thetaGrid } from './theta-grid.js';

/** An evidence profile: log likelihood of each θ of a grid against θ = 0, in nats. Profiles of tables add up. */
export type Profile = Float64Array;

/**
 * The kernel: the evidence profile of one 2x2 table over the log odds ratios `theta`.
 *
 * ℓ(θ) = e·θ − [M(θ) − M(0)] with M(θ) = ln Σ_j C(n_candidate, j)·C(n_stable, events − j)·exp(jθ), where e is the
 * candidate's events: Fisher's noncentral hypergeometric likelihood given the table's margins. It depends on neither
 * the baseline nor the split, so profiles of different intervals and strata simply add.
 *
 * Units: nats, against θ = 0, where it is exactly 0. Shape: one number for each θ. Zero everywhere when the table says
 * nothing (a variant without trials, no events, or nothing but events). Throws on impossible counts and on a θ that
 * is not a number within ±300. Source: conditional likelihood of stratified tables (ter Schure et al. 2024; Turner & Grünwald 2023).
 */
export function tableProfile(theta: ArrayLike<number>, table: Table): Profile {
  const profile = new Float64Array(theta.length);
  addTableProfile(profile, theta, table);
  return profile;
}

/**
 * Adds one table's evidence to `profile` in place: the same numbers as `tableProfile`, without an allocation per table.
 * Throws before it changes anything.
 */
export function addTableProfile(profile: Profile, theta: ArrayLike<number>, table: Table): void {
  requireTable(table);
  requireSameLength(profile.length, theta.length, 'profile and theta');
  addConditionalLikelihood(profile, thetaGrid(theta), table);
}

/** Σ of profiles over the same grid: how intervals, strata, replicas and stages merge. Order does not matter. */
export function sumProfiles(profiles: readonly Profile[], length: number): Profile {
  const sum = new Float64Array(length);
  for (const profile of profiles) {
    requireSameLength(profile.length, length, 'profiles');
    for (let i = 0; i < length; i++) sum[i] = (sum[i] ?? 0) + (profile[i] ?? 0);
  }
  return sum;
}

/** ℓ / design effect: a profile discounted for users whose requests resemble each other (design-effect.ts). */
export function discountedProfile(profile: Profile, designEffect: number): Profile {
  requirePositive(designEffect, 'design effect');
  if (designEffect === 1) return profile;
  return profile.map((value) => value / designEffect);
}

import { DEFAULT_OFFSETS, alternativeOffsets, lognormalWeights } from './alternatives.js';
import type { OffsetRange } from './alternatives.js';
import { requireFinite } from './checks.js';
import { StatisticsError } from './errors.js';

/**
 * Where a one-sided test finds its points in a profile: its limit θ0 at `nullIndex`, and the alternatives behind it.
 * By index, never by equality of floats.
 */
export interface OneSidedTest {
  readonly side: 'greater' | 'less';
  readonly limit: number;
  readonly nullIndex: number;
  /** ln w_j of the alternative at nullIndex + 1 + j. */
  readonly logWeights: readonly number[];
}

/** "Outside ±limit, either way": two one-sided tests. */
export interface TwoSidedTest {
  readonly side: 'two-sided';
  readonly limit: number;
  readonly greater: OneSidedTest;
  readonly less: OneSidedTest;
}

export type GridTest = OneSidedTest | TwoSidedTest;

/** A contiguous part of a grid: points first … end − 1. */
export interface GridRange {
  readonly first: number;
  readonly end: number;
}

/** What one profile is kept at: the log odds ratios of all tests and of the interval that users are shown. */
export interface EvidenceGrid {
  readonly theta: Float64Array;
}

/** The display grid is −3 … 3 in steps of 1/20. */
const DISPLAY_STEPS_TO_3 = 60;
const DISPLAY_STEPS_PER_NAT = 20;

/**
 * Collects the points of a metric's profile, test by test, so that one vector serves every question asked of it.
 *
 * Each test owns its points: the limit θ0, then θ0 ± d_j over `offsets`. Units: nats (log odds ratio).
 * `typicalEffect` and `spread` are those of `lognormalWeights`. Source: method §2.1.
 */
export class EvidenceGridBuilder {
  private readonly points: number[] = [];
  private readonly offsets: readonly number[];
  private readonly spread: number;

  constructor(offsets: OffsetRange = DEFAULT_OFFSETS, spread = 1) {
    this.offsets = alternativeOffsets(offsets);
    this.spread = spread;
  }

  /** H0: θ ≤ limit in every interval (a rollback limit). */
  greater(limit: number, typicalEffect: number): OneSidedTest {
    return this.oneSided('greater', limit, typicalEffect);
  }

  /** H0: θ ≥ limit in every interval (a promote margin). */
  less(limit: number, typicalEffect: number): OneSidedTest {
    return this.oneSided('less', limit, typicalEffect);
  }

  /** H0: |θ| ≤ limit in every interval. Throws on a negative limit. */
  twoSided(limit: number, typicalEffect: number): TwoSidedTest {
    requireFinite(limit, 'limit');
    if (limit < 0) throw new StatisticsError('out-of-range', 'a two-sided limit must not be negative');
    const greater = this.oneSided('greater', limit, typicalEffect);
    const less = this.oneSided('less', -limit, typicalEffect);
    return { side: 'two-sided', limit, greater, less };
  }

  /** The grid −3 … 3, step 0.05, over which the confidence sequence is computed. */
  display(): GridRange {
    const first = this.points.length;
    for (let step = -DISPLAY_STEPS_TO_3; step <= DISPLAY_STEPS_TO_3; step++) {
      this.points.push(step / DISPLAY_STEPS_PER_NAT);
    }
    return { first, end: this.points.length };
  }

  /** The points so far. Tests added later belong to a later grid only. */
  build(): EvidenceGrid {
    return { theta: Float64Array.from(this.points) };
  }

  private oneSided(side: 'greater' | 'less', limit: number, typicalEffect: number): OneSidedTest {
    requireFinite(limit, 'limit');
    const logWeights = lognormalWeights(this.offsets, typicalEffect, this.spread).map(Math.log);
    const nullIndex = this.points.length;
    this.points.push(limit);
    for (const offset of this.offsets) this.points.push(side === 'greater' ? limit + offset : limit - offset);
    return { side, limit, nullIndex, logWeights };
  }
}

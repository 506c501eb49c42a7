import { DEFAULT_OFFSETS } from '../../src/statistics/alternatives.js';
import type { OffsetRange } from '../../src/statistics/alternatives.js';
import { logEValue } from '../../src/statistics/e-process.js';
import { EvidenceGridBuilder } from '../../src/statistics/evidence-grid.js';
import type { GridTest } from '../../src/statistics/evidence-grid.js';
import { sumProfiles, tableProfile } from '../../src/statistics/table-profile.js';
import type { Profile } from '../../src/statistics/table-profile.js';
import type { VectorInput } from './vector-input.js';

/** The log e-value of the test that `side`, `theta0` and `tol` describe, over a profile made for its grid. */
export function evaluateOnGrid(input: VectorInput, profileOn: (theta: Float64Array) => Profile): number {
  const builder = new EvidenceGridBuilder(offsetRange(input), input.numberOr(1, 'sigma'));
  const limit = input.numberOr(0, 'theta0');
  const typicalEffect = input.numberOr(0.4, 'dStar');
  const side = input.has('side') ? input.raw('side') : 'greater';
  let test: GridTest;
  if (side === 'two' || side === 'two-sided' || side === 'both' || side === 0) {
    // "|θ| ≤ τ": τ is `tol` where it is given.
    test = builder.twoSided(input.numberOr(limit, 'tol', 'tau'), typicalEffect);
  } else if (oneSided(input) === 'greater') {
    test = builder.greater(limit, typicalEffect);
  } else {
    test = builder.less(limit, typicalEffect);
  }
  return logEValue(profileOn(builder.build().theta), test);
}

export function oneSided(input: VectorInput): 'greater' | 'less' {
  const side = input.has('side') ? input.raw('side') : 'greater';
  if (side === 'greater' || side === 1 || side === 'roll' || side === 'rollback') return 'greater';
  if (side === 'less' || side === -1 || side === 'promote') return 'less';
  throw new Error(`no such side: ${JSON.stringify(side)}`);
}

/** The summed profile of the case's tables over `theta`, or the profile (over points of its own) that the case gives. */
export function givenProfile(input: VectorInput, theta: ArrayLike<number>): Profile {
  if (!input.has('tables')) {
    const profile = input.numbers('ell', 'profile');
    const points = input.has('theta', 'grid') ? input.numbers('theta', 'grid') : Array.from(theta);
    return Float64Array.from(theta, (point) => {
      const index = points.findIndex((candidate) => Math.abs(candidate - point) < 1e-9);
      return profile[index] ?? Number.NaN;
    });
  }
  const profiles = input.table('tables').map(([et, nt, ec, nc]) =>
    tableProfile(theta, {
      candidateEvents: et ?? Number.NaN,
      candidateTrials: nt ?? Number.NaN,
      stableEvents: ec ?? Number.NaN,
      stableTrials: nc ?? Number.NaN,
    }),
  );
  return sumProfiles(profiles, theta.length);
}

export function displayGrid(input: VectorInput): ArrayLike<number> {
  if (input.has('theta', 'grid')) return input.numbers('theta', 'grid');
  const builder = new EvidenceGridBuilder();
  builder.display();
  return builder.build().theta;
}

export function offsetRange(input: VectorInput): OffsetRange {
  return {
    smallest: input.numberOr(DEFAULT_OFFSETS.smallest, 'dMin'),
    largest: input.numberOr(DEFAULT_OFFSETS.largest, 'dMax'),
    ratio: input.numberOr(DEFAULT_OFFSETS.ratio, 'ratio'),
  };
}

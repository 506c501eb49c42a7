import type { StagePlan } from '../../plan/types.js';
import type { AbLogE } from '../ab-call.js';
import { averageLogE } from '../cuts.js';
import { logEValue } from '../e-process.js';
import { addTableProfile, sumProfiles } from '../table-profile.js';
import type { Profile } from '../table-profile.js';
import type { AbSource, AbTables } from './ab-source.js';
import { stickyEffect } from './sticky-users.js';
import { UserSums, mergeUserSums } from './user-sums.js';
import type { UserSumsSnapshot } from './user-sums.js';

/** ℓ of one cut on the grids of its tests. */
type Part = 'equality' | 'notWorse' | 'notBetter';

/** Evidence of one ab stage, generation and cut. */
interface AbSegment extends Readonly<Record<Part, Profile>> {
  readonly stageIndex: number;
  readonly generation: number;
  readonly cut: number;
  readonly users: UserSums;
}

/** The same as plain data. */
export interface AbSegmentSnapshot extends Readonly<Record<Part, readonly number[]>> {
  readonly stageIndex: number;
  readonly generation: number;
  readonly cut: number;
  readonly users: UserSumsSnapshot;
}

/** What the evidence of a stage says. */
export interface AbNumbers {
  readonly logE: AbLogE;
  /** The largest of the cuts. */
  readonly designEffect: number;
}

/** The evidence of the ab stages of a plan by stage, generation and cut, and what the tests make of it. */
export class AbEvidence {
  private readonly source: AbSource;
  private readonly segments: AbSegment[];

  constructor(source: AbSource, from: readonly AbSegmentSnapshot[] = []) {
    this.source = source;
    this.segments = from.map((segment) => ({
      ...segment,
      equality: profileOf(segment.equality, this.pointsOf('equality')),
      notWorse: profileOf(segment.notWorse, this.pointsOf('notWorse')),
      notBetter: profileOf(segment.notBetter, this.pointsOf('notBetter')),
      users: new UserSums(segment.users),
    }));
  }

  add(stage: StagePlan, { place, cut, equality, margin, users }: AbTables): void {
    const segment = this.segment(place.stageIndex, place.generation, cut);
    addTableProfile(segment.equality, this.source.equality.grid.theta, equality);
    segment.users.addSums(users);
    const tests = this.source.margins(stage, cut);
    if (margin === null || tests === null) return;
    addTableProfile(segment.notWorse, tests.notWorse.grid.theta, margin.notWorse);
    addTableProfile(segment.notBetter, tests.notBetter.grid.theta, margin.notBetter);
  }

  /**
   * The e-values of one stage on evidence of a generation and later ones, each ℓ over the design effect of its users. Of
   * several cuts a difference is the average (one anywhere is one), the margin the least (inside it has to be everywhere).
   */
  numbers(stage: StagePlan, stageIndex: number, fromGeneration: number): AbNumbers {
    const worse: number[] = [];
    const better: number[] = [];
    const inside: number[] = [];
    let largestEffect = 1;
    for (let cut = 0; cut < this.source.cuts; cut++) {
      const segments = this.segments.filter(
        (one) => one.stageIndex === stageIndex && one.cut === cut && one.generation >= fromGeneration,
      );
      const designEffect = stickyEffect(mergeUserSums(segments.map(({ users }) => users)));
      largestEffect = Math.max(largestEffect, designEffect);
      const equality = this.sum(segments, 'equality');
      worse.push(logEValue(equality, this.source.equality.worse, designEffect));
      better.push(logEValue(equality, this.source.equality.better, designEffect));
      const tests = this.source.margins(stage, cut);
      if (tests === null) continue;
      inside.push(logEValue(this.sum(segments, 'notWorse'), tests.notWorse.test, designEffect));
      inside.push(logEValue(this.sum(segments, 'notBetter'), tests.notBetter.test, designEffect));
    }
    const isMarginKnown = inside.length === 2 * this.source.cuts;
    return {
      logE: {
        worse: averageLogE(worse),
        better: averageLogE(better),
        inside: isMarginKnown ? Math.min(...inside) : null,
      },
      designEffect: largestEffect,
    };
  }

  snapshot(): readonly AbSegmentSnapshot[] {
    return this.segments.map((segment) => ({
      ...segment,
      equality: [...segment.equality],
      notWorse: [...segment.notWorse],
      notBetter: [...segment.notBetter],
      users: segment.users.snapshot(),
    }));
  }

  private segment(stageIndex: number, generation: number, cut: number): AbSegment {
    const known = this.segments.find(
      (one) => one.stageIndex === stageIndex && one.generation === generation && one.cut === cut,
    );
    if (known) return known;
    const segment: AbSegment = {
      stageIndex,
      generation,
      cut,
      equality: new Float64Array(this.pointsOf('equality')),
      notWorse: new Float64Array(this.pointsOf('notWorse')),
      notBetter: new Float64Array(this.pointsOf('notBetter')),
      users: new UserSums(),
    };
    this.segments.push(segment);
    // Sums run in this order, so that it must not depend on which arrived first.
    this.segments.sort(
      (left, right) => left.stageIndex - right.stageIndex || left.generation - right.generation || left.cut - right.cut,
    );
    return segment;
  }

  private sum(segments: readonly AbSegment[], part: Part): Profile {
    return sumProfiles(
      segments.map((segment) => segment[part]),
      this.pointsOf(part),
    );
  }

  private pointsOf(part: Part): number {
    return part === 'equality' ? this.source.equality.grid.theta.length : this.source.marginPoints;
  }
}

function profileOf(values: readonly number[], points: number): Profile {
  if (values.length !== points) throw new RangeError(`a profile of ${values.length} points, not ${points}`);
  return Float64Array.from(values);
}

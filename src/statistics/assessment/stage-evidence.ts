import type { Rate } from '../../evidence/record.js';
import type { StagePlan } from '../../plan/types.js';
import { averageLogE } from '../cuts.js';
import { DesignEffectSum } from '../design-effect.js';
import { logEValue } from '../e-process.js';
import type { GridTest } from '../evidence-grid.js';
import { restartMixture } from '../restart-mixture.js';
import { discountedProfile, sumProfiles } from '../table-profile.js';
import type { Profile } from '../table-profile.js';
import type { Table } from '../table.js';
import { StickyUsers, stickyEffect, stickyEffectAlone } from './sticky-users.js';
import { addTable, emptyTable } from './table-pools.js';
import type { GrowingTable } from './table-pools.js';
import { UserSums, mergeUserSums } from './user-sums.js';
import type { UserSumsSnapshot } from './user-sums.js';

/** One guardrail's evidence in one stage and generation. */
export interface Segment {
  readonly stageIndex: number;
  readonly generation: number;
  /** ℓ on the grid of the breach test and of the interval that people are shown. */
  readonly breach: Profile;
  /** ℓ on the grid of the stage's promote margin. */
  readonly promote: Profile;
  /** Sum of the tables in `promote`: the rates at which the forecast goes on. */
  readonly promoteTotals: GrowingTable;
  /** The users behind the tables. */
  readonly users: UserSums;
  /** The candidate's requests since a rate's margin was fixed, for the test without a control; else 0. */
  readonly candidateAlone: { trials: number; events: number };
  /** The users behind these. */
  readonly usersAlone: UserSums;
}

/** The same as plain data. */
export interface SegmentSnapshot {
  readonly stageIndex: number;
  readonly generation: number;
  readonly breach: readonly number[];
  readonly promote: readonly number[];
  readonly promoteTotals: Table;
  readonly users: UserSumsSnapshot;
  readonly candidateAlone: Rate;
  readonly usersAlone: UserSumsSnapshot;
}

/** Points of each segment's profiles; 0 for a guardrail that never gates. */
export interface SegmentShape {
  readonly breachPoints: number;
  readonly promotePoints: number;
}

/** What speaks for promotion from one stage. */
export interface Promotion extends Pick<Segment, 'promote' | 'promoteTotals' | 'candidateAlone'> {
  /** Divide `promote` by this, and what `candidateAlone` says by the other. */
  readonly designEffect: number;
  readonly designEffectAlone: number;
}

/**
 * A guardrail's evidence profiles by stage and generation, and what the tests make of them. Profiles are kept as they
 * came; whoever asks gets them divided by the design effect of the users behind them (method §8.2).
 */
export class StageEvidence {
  private readonly shape: SegmentShape;
  private readonly segments: Segment[] = [];
  private readonly users = new StickyUsers();

  constructor(shape: SegmentShape, segments: readonly SegmentSnapshot[] = []) {
    this.shape = shape;
    for (const segment of segments) {
      this.segments.push({
        stageIndex: segment.stageIndex,
        generation: segment.generation,
        breach: profileOf(segment.breach, shape.breachPoints),
        promote: profileOf(segment.promote, shape.promotePoints),
        promoteTotals: { ...segment.promoteTotals },
        users: new UserSums(segment.users),
        candidateAlone: { ...segment.candidateAlone },
        usersAlone: new UserSums(segment.usersAlone),
      });
    }
  }

  segment(stageIndex: number, generation: number): Segment {
    const known = this.segments.find((one) => one.stageIndex === stageIndex && one.generation === generation);
    if (known) return known;
    const segment: Segment = {
      stageIndex,
      generation,
      breach: new Float64Array(this.shape.breachPoints),
      promote: new Float64Array(this.shape.promotePoints),
      promoteTotals: emptyTable(),
      users: new UserSums(),
      candidateAlone: { trials: 0, events: 0 },
      usersAlone: new UserSums(),
    };
    this.segments.push(segment);
    // Sums run in this order, so that it must not depend on which arrived first.
    this.segments.sort((left, right) => left.stageIndex - right.stageIndex || left.generation - right.generation);
    return segment;
  }

  /** Segments of a stage from a generation on. */
  ofStage(stageIndex: number, fromGeneration: number): readonly Segment[] {
    return this.segments.filter((one) => one.stageIndex === stageIndex && one.generation >= fromGeneration);
  }

  /** ℓ of the breach grid over one stage, divided by its design effect: what the stage's confidence sequence is made of. */
  stageProfile(stageIndex: number): Profile {
    const segments = this.ofStage(stageIndex, 0);
    const profile = sumProfiles(
      segments.map(({ breach }) => breach),
      this.shape.breachPoints,
    );
    return discountedProfile(profile, this.stageEffect(stageIndex));
  }

  /** The design effect of one stage's comparison. */
  stageEffect(stageIndex: number): number {
    return stickyEffect(mergeUserSums(this.ofStage(stageIndex, 0).map(({ users }) => users)));
  }

  /** What speaks for promotion: one stage, from a generation on. */
  promotion(stageIndex: number, fromGeneration: number): Promotion {
    const segments = this.ofStage(stageIndex, fromGeneration);
    const promote = sumProfiles(
      segments.map((segment) => segment.promote),
      this.shape.promotePoints,
    );
    const promoteTotals = emptyTable();
    const candidateAlone = { trials: 0, events: 0 };
    for (const segment of segments) {
      addTable(promoteTotals, segment.promoteTotals);
      candidateAlone.trials += segment.candidateAlone.trials;
      candidateAlone.events += segment.candidateAlone.events;
    }
    const users = mergeUserSums(segments.map((segment) => segment.users));
    const usersAlone = mergeUserSums(segments.map((segment) => segment.usersAlone));
    return {
      promote,
      promoteTotals,
      candidateAlone,
      designEffect: stickyEffect(users),
      designEffectAlone: stickyEffectAlone(usersAlone, users),
    };
  }

  /**
   * ln Σ_s π_s·E^(s), E^(s) from the evidence of stages s … now over the design effect of these stages, 1 for stages not
   * reached; π that the plan leaves over stays at 1. Of several tests (cuts of one metric) each E^(s) is the average.
   * Nats. Source: method §8.2, §10.3.
   */
  rolloutLogE(tests: GridTest | readonly GridTest[], stages: readonly StagePlan[]): number {
    const sum: number[] = Array.from({ length: pointsOf(tests) }, () => 0);
    const logEByStart: number[] = stages.map(() => 0);
    const effect = new DesignEffectSum();
    const ofStable = new DesignEffectSum();
    let designEffect = 1;
    let next = this.segments.length - 1;
    for (let stageIndex = stages.length - 1; stageIndex >= 0; stageIndex--) {
      const end = next + 1;
      let segment = this.segments[next];
      while (segment && segment.stageIndex === stageIndex) {
        addTo(sum, segment.breach);
        next--;
        segment = this.segments[next];
      }
      const score = this.users.ofStage(stageIndex, this.segments, next + 1, end);
      if (score) {
        effect.add(score.comparison);
        ofStable.add(score.stable);
        designEffect = (score.isEarly ? ofStable : effect).effect();
      }
      if (next < this.segments.length - 1) logEByStart[stageIndex] = logEOf(sum, tests, designEffect);
    }
    const shares = stages.map(({ mixtureShare }) => mixtureShare);
    const left = Math.max(0, 1 - shares.reduce((total, share) => total + share, 0));
    return restartMixture([...logEByStart, 0], [...shares, left]);
  }

  snapshot(): readonly SegmentSnapshot[] {
    return this.segments.map((segment) => ({
      stageIndex: segment.stageIndex,
      generation: segment.generation,
      breach: [...segment.breach],
      promote: [...segment.promote],
      promoteTotals: { ...segment.promoteTotals },
      users: segment.users.snapshot(),
      candidateAlone: { ...segment.candidateAlone },
      usersAlone: segment.usersAlone.snapshot(),
    }));
  }
}

function logEOf(profile: readonly number[], tests: GridTest | readonly GridTest[], designEffect: number): number {
  if ('side' in tests) return logEValue(profile, tests, designEffect);
  return averageLogE(tests.map((test) => logEValue(profile, test, designEffect)));
}

/** Points from the grid's beginning that hold every test's: the interval's lie behind them, mostly. */
function pointsOf(tests: GridTest | readonly GridTest[]): number {
  if (!('side' in tests)) return Math.max(...tests.map(pointsOf));
  if (tests.side === 'two-sided') return Math.max(pointsOf(tests.greater), pointsOf(tests.less));
  return tests.nullIndex + 1 + tests.logWeights.length;
}

function profileOf(values: readonly number[], points: number): Profile {
  if (values.length !== points) throw new RangeError(`a profile of ${values.length} points, not ${points}`);
  return Float64Array.from(values);
}

function addTo(sum: number[], profile: Profile): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (profile[i] ?? 0);
}

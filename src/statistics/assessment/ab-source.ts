import type { StagePlan } from '../../plan/types.js';
import type { EvidenceGrid, OneSidedTest } from '../evidence-grid.js';
import { EvidenceGridBuilder } from '../evidence-grid.js';
import type { Table } from '../table.js';
import type { AbFeedbackSnapshot } from './ab-feedback-source.js';
import type { AbQuantileSnapshot } from './ab-quantile-source.js';
import type { AbRateSnapshot } from './ab-rate-source.js';
import type { IntervalBatch } from './interval-batch.js';
import type { PoolPlace } from './table-pools.js';
import type { UserSums } from './user-sums.js';

/** A one-sided test and the grid of the profile that it reads. */
export interface AbTest {
  readonly grid: EvidenceGrid;
  readonly test: OneSidedTest;
}

/** Both sides of "no difference", on one grid. */
export interface EqualityTests {
  readonly grid: EvidenceGrid;
  readonly worse: OneSidedTest;
  readonly better: OneSidedTest;
}

/** "Inside the margin": not worse by it, and not better by it. */
export interface MarginTests {
  readonly notWorse: AbTest;
  readonly notBetter: AbTest;
}

/** What intervals of one place give to each test of one cut; `margin` is null where the margin may not speak of them. */
export interface AbTables {
  readonly place: PoolPlace;
  /** Index below `cuts`. */
  readonly cut: number;
  readonly equality: Table;
  readonly margin: { readonly notWorse: Table; readonly notBetter: Table } | null;
  /** The users behind them. */
  readonly users: UserSums;
}

/** How the two variants of an ab stage are compared on one kind of guardrail. */
export interface AbSource {
  /** Ways of counting a bad event: one, or for ratings one for each place at which a score is cut. */
  readonly cuts: number;
  readonly equality: EqualityTests;
  /** Points of the profile of either margin test, whatever the stage; 0 without a margin. */
  readonly marginPoints: number;
  /** Uses the records of one interval end; what has become evidence, in canonical order. */
  absorb(batch: IntervalBatch): readonly AbTables[];
  /** The tests of a stage's margin at a cut; null = there is none, or it is not fixed yet. */
  margins(stage: StagePlan, cut: number): MarginTests | null;
  /** The margin in words; null as in `margins`. */
  marginWords(stage: StagePlan): string | null;
  /** What a test cannot do yet and why, in words; null = all of them can speak. */
  waits(): string | null;
  snapshot(): AbSourceSnapshot;
}

export type AbSourceSnapshot = AbRateSnapshot | AbFeedbackSnapshot | AbQuantileSnapshot;

/** Tests of "no difference": H0 θ ≤ slack, and θ ≥ −slack. `typicalEffect`: the effect most worth catching, nats. */
export function equalityTests(slack: number, typicalEffect: number): EqualityTests {
  const builder = new EvidenceGridBuilder();
  const worse = builder.greater(slack, typicalEffect);
  const better = builder.less(-slack, typicalEffect);
  return { grid: builder.build(), worse, better };
}

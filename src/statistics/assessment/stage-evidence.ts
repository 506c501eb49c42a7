import type { Rate } from '../../evidence/record.js';
import type { StagePlan } from '../../plan/types.js';
import { logEValue } from '../e-process.js';
import type { GridTest } from '../evidence-grid.js';
import { restartMixture } from '../restart-mixture.js';
import { sumProfiles } from '../table-profile.js';
import type { Profile } from '../table-profile.js';
import type { Table } from '../table.js';
import { addTable, emptyTable } from './table-pools.js';
import type { GrowingTable } from './table-pools.js';

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
  /** The candidate's requests since a rate's margin was fixed, for the test without a control; else 0. */
  readonly candidateAlone: { trials: number; events: number };
}

/** The same as plain data. */
export interface SegmentSnapshot {
  readonly stageIndex: number;
  readonly generation: number;
  readonly breach: readonly number[];
  readonly promote: readonly number[];
  readonly promoteTotals: Table;
  readonly candidateAlone: Rate;
}

/** Points of each segment's profiles; 0 for a guardrail that never gates. */
export interface SegmentShape {
  readonly breachPoints: number;
  readonly promotePoints: number;
}

/** A guardrail's evidence profiles by stage and generation, and what the tests make of them. */
export class StageEvidence {
  private readonly shape: SegmentShape;
  private readonly segments: Segment[] = [];

  constructor(shape: SegmentShape, segments: readonly SegmentSnapshot[] = []) {
    this.shape = shape;
    for (const segment of segments) {
      this.segments.push({
        stageIndex: segment.stageIndex,
        generation: segment.generation,
        breach: profileOf(segment.breach, shape.breachPoints),
        promote: profileOf(segment.promote, shape.promotePoints),
        promoteTotals: { ...segment.promoteTotals },
        candidateAlone: { ...segment.candidateAlone },
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
      candidateAlone: { trials: 0, events: 0 },
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

  /** ℓ of the breach grid over one stage: what the stage's confidence sequence is made of. */
  stageProfile(stageIndex: number): Profile {
    return sumProfiles(
      this.ofStage(stageIndex, 0).map(({ breach }) => breach),
      this.shape.breachPoints,
    );
  }

  /** What speaks for promotion: one stage, from a generation on. */
  promotion(stageIndex: number, fromGeneration: number): Pick<Segment, 'promote' | 'promoteTotals' | 'candidateAlone'> {
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
    return { promote, promoteTotals, candidateAlone };
  }

  /**
   * ln Σ_s π_s·E^(s), E^(s) from the evidence of stages s … now, 1 for stages not reached; π that the plan leaves over
   * stays at 1. Nats. Source: method §10.3.
   */
  rolloutLogE(test: GridTest, stages: readonly StagePlan[]): number {
    const sum = new Float64Array(this.shape.breachPoints);
    const logEByStart: number[] = stages.map(() => 0);
    let next = this.segments.length - 1;
    for (let stageIndex = stages.length - 1; stageIndex >= 0; stageIndex--) {
      let segment = this.segments[next];
      while (segment && segment.stageIndex === stageIndex) {
        addTo(sum, segment.breach);
        next--;
        segment = this.segments[next];
      }
      if (next < this.segments.length - 1) logEByStart[stageIndex] = logEValue(sum, test);
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
      candidateAlone: { ...segment.candidateAlone },
    }));
  }
}

function profileOf(values: readonly number[], points: number): Profile {
  if (values.length !== points) throw new RangeError(`a profile of ${values.length} points, not ${points}`);
  return Float64Array.from(values);
}

function addTo(sum: Profile, profile: Profile): void {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (profile[i] ?? 0);
}

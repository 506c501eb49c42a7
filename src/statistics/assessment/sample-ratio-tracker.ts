import type { SERVED as ServedStratum } from '../../evidence/record.js';
import type { SampleRatioGuardrail, StagePlan, Variant } from '../../plan/types.js';
import { SKETCH_UNITS, SmallestHashes } from '../smallest-hashes.js';
import { classOf, emptySegment, segmentLogE, unitsOf } from './assignment-segment.js';
import type { AssignmentLogE, AssignmentSegment } from './assignment-segment.js';
import type { GuardrailEvidence, GuardrailTracker } from './guardrail-tracker.js';
import { compareText } from './interval-batch.js';
import type { IntervalBatch, UsedRecord } from './interval-batch.js';
import { percent, whole } from './words.js';

/** Types only cross from evidence to statistics. */
const SERVED: typeof ServedStratum = 'served';

/** ln E of what a split rules out: E is infinite, and JSON has no infinity; 10^308 is the largest power that a double has. */
export const BROKEN_SPLIT_LOG_E = 308 * Math.LN10;

/** What is known of a unit in the sketch: its point lies in [low, high), and who served it in the latest generation. */
interface SampledUnit {
  low: number;
  high: number;
  generation: number;
  stable: boolean;
  candidate: boolean;
}

/** The sample ratio's state as plain data. */
export interface SampleRatioSnapshot {
  readonly kind: 'sample-ratio';
  readonly newestGeneration: number;
  readonly units: readonly (readonly [hash: string, unit: Readonly<SampledUnit>])[];
  readonly segments: readonly AssignmentSegment[];
}

/**
 * Assignments against the split: distinct units, and requests that have none. Which units are looked at depends on their
 * keyed hashes alone, so each that enters the sketch of the rollout is one draw of the split; it counts once a generation
 * and is never taken back when smaller hashes push it out. Source: method §6.
 */
export class SampleRatioTracker implements GuardrailTracker {
  readonly guardrail: SampleRatioGuardrail;
  private readonly stages: readonly StagePlan[];
  private readonly units = new SmallestHashes<string, SampledUnit>(SKETCH_UNITS);
  private readonly segments: AssignmentSegment[];
  private readonly logEBySegment = new Map<AssignmentSegment, AssignmentLogE>();
  private newestGeneration: number;

  constructor(guardrail: SampleRatioGuardrail, stages: readonly StagePlan[], from?: SampleRatioSnapshot) {
    this.guardrail = guardrail;
    this.stages = stages;
    this.newestGeneration = from?.newestGeneration ?? 0;
    for (const [hash, unit] of from?.units ?? []) this.units.insert(hash, { ...unit });
    this.segments = (from?.segments ?? []).map(copyOf);
  }

  /** Records come in order of generation. What is new in one interval end is taken by hash: any split over replicas is one. */
  absorb({ records }: IntervalBatch): void {
    const served = records.filter(({ record }) => record.stratum === SERVED);
    for (let from = 0; from < served.length;) {
      const first = served[from];
      if (first === undefined) return;
      let end = from + 1;
      while (served[end]?.record.generation === first.record.generation) end++;
      this.useGeneration(served.slice(from, end), first);
      from = end;
    }
  }

  logBreach(): number {
    let kept = 0;
    let afresh = 0;
    for (const segment of this.segments) {
      const logE = this.logEOf(segment);
      kept += logE.kept;
      afresh += logE.afresh;
    }
    // The lesser of two e-processes is one under the hypothesis of either.
    return Math.min(kept, afresh, BROKEN_SPLIT_LOG_E);
  }

  gates(): boolean {
    return false;
  }

  read(stageIndex: number): GuardrailEvidence {
    const stage = this.stages[stageIndex];
    const segments = this.segments.filter((segment) => segment.stageIndex === stageIndex);
    const sum = { stable: 0, candidate: 0 };
    let units = 0;
    for (const segment of segments) {
      const distinct = unitsOf(segment);
      sum.stable += distinct.stable + segment.alone.stable;
      sum.candidate += distinct.candidate + segment.alone.candidate;
      units += distinct.stable + distinct.candidate;
    }
    const total = sum.stable + sum.candidate;
    const share = total === 0 ? null : sum.candidate / total;
    const planned = stage?.weights.candidate ?? 0;
    return {
      seen: stage === undefined ? 'unknown' : seenIn(stage, segments, { share, units, alone: total - units }),
      logE: { breach: this.logBreach(), safe: null },
      stable: share === null ? null : sum.stable / total,
      candidate: share,
      ratio: share === null || planned === 0 ? null : share / planned,
      interval: [null, null],
      n: sum,
      waits: null,
      remaining: null,
    };
  }

  snapshot(): SampleRatioSnapshot {
    return {
      kind: 'sample-ratio',
      newestGeneration: this.newestGeneration,
      units: this.units.entries().map(([hash, unit]) => [hash, { ...unit }]),
      segments: this.segments.map(copyOf),
    };
  }

  private useGeneration(
    records: readonly UsedRecord[],
    { record: { generation }, stage, stageIndex }: UsedRecord,
  ): void {
    const test = testedIn(stage);
    if (test === 'none') return;
    const segment = this.segmentOf(stageIndex, generation);
    this.logEBySegment.delete(segment);
    if (test === 'leak') {
      for (const { record } of records) if (record.variant === 'candidate') segment.leaked += record.started;
      return;
    }
    // A router that is behind reports units of the generation before; those it has in common with the others are over.
    const counts = generation >= this.newestGeneration;
    this.newestGeneration = Math.max(this.newestGeneration, generation);
    const entries: (readonly [hash: string, variant: Variant])[] = [];
    for (const { record } of records) {
      if (record.assigned === undefined) continue;
      segment.alone[record.variant] += record.assigned.alone;
      if (counts) for (const hash of record.assigned.units) entries.push([hash, record.variant]);
    }
    // The smallest first: what enters then depends on what is new, not on the order in which it came.
    const inOrder = entries.toSorted(
      ([left, one], [right, other]) => compareText(left, right) || compareText(one, other),
    );
    for (const [hash, variant] of inOrder) this.useUnit(segment, hash, variant, stage.weights.candidate);
  }

  private useUnit(segment: AssignmentSegment, hash: string, variant: Variant, weight: number): void {
    if (!this.units.admits(hash)) return;
    const known = this.units.get(hash);
    const unit = known ?? { low: 0, high: 1, generation: 0, stable: false, candidate: false };
    if (known === undefined) this.units.insert(hash, unit);
    if (unit.generation === segment.generation) {
      if (unit[variant]) return;
      unit[variant] = true;
      segment.bothSides++;
      return;
    }
    classOf(segment, unit.low, unit.high)[variant]++;
    unit.generation = segment.generation;
    unit.stable = variant === 'stable';
    unit.candidate = variant === 'candidate';
    const low = variant === 'stable' ? Math.max(unit.low, weight) : unit.low;
    const high = variant === 'candidate' ? Math.min(unit.high, weight) : unit.high;
    // It moved against the ramp: whoever assigns it does not keep units, and nothing is known of it but this.
    const moved = low >= high;
    unit.low = moved ? 0 : low;
    unit.high = moved ? 1 : high;
  }

  private segmentOf(stageIndex: number, generation: number): AssignmentSegment {
    const known = this.segments.find((one) => one.generation === generation && one.stageIndex === stageIndex);
    if (known !== undefined) return known;
    const created = emptySegment(stageIndex, generation);
    this.segments.push(created);
    return created;
  }

  private logEOf(segment: AssignmentSegment): AssignmentLogE {
    const known = this.logEBySegment.get(segment);
    if (known !== undefined) return known;
    const stage = this.stages[segment.stageIndex];
    const logE = stage === undefined ? { kept: 0, afresh: 0 } : segmentLogE(segment, stage);
    this.logEBySegment.set(segment, logE);
    return logE;
  }
}

/** What a stage allows to test: nothing without a control, and where the candidate has no share only that it serves nobody. */
function testedIn({ weights, mirror }: StagePlan): 'ratio' | 'leak' | 'none' {
  if (weights.stable === 0) return 'none';
  if (weights.candidate === 0) return 'leak';
  // Of the requests of stable those that were mirrored are `paired`: the rest would be too few.
  return mirror.share === 0 ? 'ratio' : 'none';
}

function seenIn(
  stage: StagePlan,
  segments: readonly AssignmentSegment[],
  { share, units, alone }: { readonly share: number | null; readonly units: number; readonly alone: number },
): string {
  const test = testedIn(stage);
  if (test === 'none') {
    return stage.weights.stable === 0
      ? 'no-control: stable serves nobody in this stage'
      : 'no-control: mirrored requests are on both variants';
  }
  if (test === 'leak') {
    const leaked = segments.reduce((sum, segment) => sum + segment.leaked, 0);
    return `${leaked === 0 ? 'nobody' : countOf(leaked, 'request')} served by the candidate for a split of 0%`;
  }
  const split = `for a split of ${percent(stage.weights.candidate)}`;
  if (share === null) return `no assignments yet ${split}`;
  const parts = [
    units > 0 ? countOf(units, 'unit') : '',
    alone > 0 ? `${countOf(alone, 'request')} without a unit` : '',
  ];
  const bothSides = segments.reduce((sum, segment) => sum + segment.bothSides, 0);
  const broken = bothSides > 0 ? `, ${countOf(bothSides, 'unit')} seen on both variants` : '';
  const counted = parts.filter((part) => part !== '').join(' and ');
  return `assignments ${percent(share)} to the candidate ${split}: ${counted}${broken}`;
}

function countOf(count: number, noun: string): string {
  return `${whole(count)} ${noun}${count === 1 ? '' : 's'}`;
}

function copyOf(segment: AssignmentSegment): AssignmentSegment {
  return { ...segment, alone: { ...segment.alone }, classes: segment.classes.map((one) => ({ ...one })) };
}

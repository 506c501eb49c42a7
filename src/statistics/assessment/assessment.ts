import type { AbReading, AssessmentReading, Crossing } from '../../evidence/look.js';
import type { EvidenceRecord, Histogram, StoredRating } from '../../evidence/record.js';
import type { StageName } from '../../plan/ids.js';
import type { GuardrailAction, HistogramSpec, Plan, StagePlan } from '../../plan/types.js';
import { withAb } from './ab-stage.js';
import { AbTracker } from './ab-tracker.js';
import { AssessmentError } from './assessment-error.js';
import { nameOfRecord, recordError } from './check-record.js';
import type { RecordRules } from './check-record.js';
import { createTracker } from './create-tracker.js';
import { Families } from './families.js';
import type { GuardrailTracker } from './guardrail-tracker.js';
import { intervalBatches } from './interval-batch.js';
import type { IntervalBatch } from './interval-batch.js';
import { readStage } from './read-stage.js';
import { SNAPSHOT_VERSION, requireSnapshot } from './snapshot.js';
import type { AssessmentSnapshot } from './snapshot.js';
import { copyStageCounts, countBatch, emptyStageCounts, requestsOf } from './stage-counts.js';
import type { StageCounts } from './stage-counts.js';

export interface ReadOptions {
  /** Promotion counts evidence of this generation and later ones of the stage: it starts afresh after an outage. */
  readonly promoteFromGeneration: number;
}

/**
 * The verdicts of a rollout, built from closed evidence intervals in order. The same records give the same verdicts,
 * however they are split over replicas and in whatever order those of one interval end come.
 */
export interface Assessment {
  /** Every interval ended at or before this time has been used, Unix ms; 0 = none. */
  readonly closedThrough: number;
  /** The first crossing of each family; final. */
  readonly crossings: Readonly<Record<GuardrailAction, Crossing | null>>;
  /**
   * Every crossing in order: the first of each family and, after it, one for each interval end at which the closed test
   * named guardrails that were not breached before. `guardrails` holds those newly breached.
   */
  readonly breaches: readonly Crossing[];
  /**
   * Uses records in use, all those of one interval end in one call; several ends in one call are used in order.
   * `ratings` are those known (`knownAfter`) before the last of these ends and not given before.
   * Throws `evidence-invalid` naming the record, before anything is used, on a record that cannot be true, is of
   * another rollout, or ended at or before `closedThrough`.
   */
  absorb(records: readonly EvidenceRecord[], ratings?: readonly StoredRating[]): void;
  /** What the evidence says of a stage now. Throws `stage-mismatch` for a stage that the plan does not have. */
  read(stage: StageName, options: ReadOptions): AssessmentReading;
  /** What an ab stage has found now, cheaper than `read`; null but in an ab stage. Throws as `read`. */
  finding(stage: StageName, options: ReadOptions): AbReading['finding'] | null;
  /** The whole state as JSON. */
  snapshot(): AssessmentSnapshot;
}

/**
 * An assessment without evidence. `seeds` are stable's histograms before the rollout, by guardrail name: with 200 values
 * or more a latency threshold stands from the first interval on. Throws `plan-invalid` for a guardrail that this version
 * cannot measure or weights that do not sum to 1, `evidence-invalid` for a seed that is cut in another way.
 */
export function createAssessment(plan: Plan, seeds: Readonly<Record<string, Histogram>>): Assessment {
  return new PlanAssessment(plan, seeds, null);
}

/**
 * The assessment that `snapshot()` was taken of, given as parsed JSON. Throws `evidence-invalid` when it is no snapshot
 * of this plan.
 */
export function restoreAssessment(plan: Plan, snapshot: unknown): Assessment {
  return new PlanAssessment(plan, {}, requireSnapshot(snapshot, plan));
}

class PlanAssessment implements Assessment {
  private readonly plan: Plan;
  private readonly rules: RecordRules;
  private readonly trackers: readonly GuardrailTracker[];
  private readonly families: Families;
  private readonly ab: AbTracker | null;
  private readonly counts: readonly StageCounts[];
  private rollout: string | null;
  private usedThrough: number;

  constructor(plan: Plan, seeds: Readonly<Record<string, Histogram>>, from: AssessmentSnapshot | null) {
    this.plan = plan;
    const histograms = histogramsOf(plan);
    requireSeeds(seeds, histograms);
    this.rules = { stages: new Map(plan.stages.map(({ name }, index) => [name, index])), histograms };
    this.trackers = plan.guardrails.map((guardrail) =>
      createTracker(guardrail, plan, seeds[guardrail.name], from?.guardrails[guardrail.name]),
    );
    this.families = new Families(plan, this.trackers, from?.families);
    this.ab = plan.ab ? new AbTracker(plan, plan.ab.primary, seeds, from?.ab ?? undefined) : null;
    this.counts = plan.stages.map((_, index) => {
      const counts = from?.stages[index];
      return counts ? copyStageCounts(counts) : emptyStageCounts();
    });
    this.rollout = from?.rollout ?? null;
    this.usedThrough = from?.closedThrough ?? 0;
  }

  get closedThrough(): number {
    return this.usedThrough;
  }

  get crossings(): Readonly<Record<GuardrailAction, Crossing | null>> {
    return this.families.crossings;
  }

  get breaches(): readonly Crossing[] {
    return this.families.breaches;
  }

  absorb(records: readonly EvidenceRecord[], ratings: readonly StoredRating[] = []): void {
    const rollout = this.rollout ?? records[0]?.rollout ?? null;
    const batches = intervalBatches(records, this.plan, this.rules, ratings);
    for (const record of records) {
      if (record.rollout !== rollout) throw recordError(record, `it is not of rollout ${rollout}`);
      if (record.intervalStart + record.intervalMs <= this.usedThrough) {
        throw new AssessmentError(
          'evidence-invalid',
          `${nameOfRecord(record)} ended at ${record.intervalStart + record.intervalMs}, but evidence through ` +
            `${this.usedThrough} has been used: intervals are used strictly in order, file it as late`,
        );
      }
    }
    this.rollout = rollout;
    for (const batch of batches) this.use(batch);
  }

  read(stage: StageName, options: ReadOptions): AssessmentReading {
    const { stageIndex, stagePlan, counts } = this.stageOf(stage);
    const reading = readStage({
      stagePlan,
      counts,
      trackers: this.trackers,
      families: this.families,
      stageIndex,
      closedThrough: this.usedThrough,
      promoteFromGeneration: options.promoteFromGeneration,
      alphaPromote: this.plan.falsePromote,
    });
    const ab = this.readAb(stageIndex, options);
    return ab ? withAb(reading, ab, stagePlan, counts) : reading;
  }

  finding(stage: StageName, { promoteFromGeneration }: ReadOptions): AbReading['finding'] | null {
    return this.ab?.finding(this.stageOf(stage).stageIndex, promoteFromGeneration) ?? null;
  }

  snapshot(): AssessmentSnapshot {
    return {
      version: SNAPSHOT_VERSION,
      plan: this.plan.digest,
      rollout: this.rollout,
      closedThrough: this.usedThrough,
      stages: this.counts.map((counts) => copyStageCounts(counts)),
      guardrails: Object.fromEntries(
        this.trackers.map((tracker) => [tracker.guardrail.name, tracker.snapshot()] as const),
      ),
      families: this.families.snapshot(),
      ab: this.ab?.snapshot() ?? null,
    };
  }

  private stageOf(stage: StageName): { stageIndex: number; stagePlan: StagePlan; counts: StageCounts } {
    const stageIndex = this.rules.stages.get(stage);
    const stagePlan = stageIndex === undefined ? undefined : this.plan.stages[stageIndex];
    const counts = stageIndex === undefined ? undefined : this.counts[stageIndex];
    if (stageIndex !== undefined && stagePlan && counts) return { stageIndex, stagePlan, counts };
    const known = this.plan.stages.map(({ name }) => name).join(', ');
    throw new AssessmentError('stage-mismatch', `stage ${stage} is none of the plan's: name one of ${known}`);
  }

  private readAb(stageIndex: number, { promoteFromGeneration }: ReadOptions): AbReading | null {
    const primary = this.trackers.find(({ guardrail }) => guardrail.name === this.ab?.primary);
    if (!this.ab || !primary || this.plan.stages[stageIndex]?.kind !== 'ab') return null;
    const { seen } = primary.read(stageIndex, promoteFromGeneration, this.plan.falsePromote);
    return this.ab.read(stageIndex, promoteFromGeneration, seen);
  }

  private use(batch: IntervalBatch): void {
    countBatch(this.counts, batch);
    for (const tracker of this.trackers) tracker.absorb(batch);
    this.ab?.absorb(batch);
    this.usedThrough = batch.intervalEnd;
    const newest = batch.slices.reduce((index, slice) => Math.max(index, slice.stageIndex), 0);
    const stage = this.plan.stages[newest];
    if (!stage) return;
    this.families.check({
      stage: stage.name,
      intervalEnd: batch.intervalEnd,
      requests: this.counts.reduce((sum, counts) => sum + requestsOf(counts, 0).candidate, 0),
    });
  }
}

function histogramsOf(plan: Plan): ReadonlyMap<string, HistogramSpec> {
  return new Map(
    plan.guardrails.flatMap((guardrail) =>
      guardrail.kind === 'quantile' || guardrail.kind === 'cuts'
        ? [[guardrail.name, guardrail.histogram] as const]
        : [],
    ),
  );
}

function requireSeeds(
  seeds: Readonly<Record<string, Histogram>>,
  histograms: ReadonlyMap<string, HistogramSpec>,
): void {
  for (const [name, seed] of Object.entries(seeds)) {
    const spec = histograms.get(name);
    if (spec && (seed.gamma !== spec.gamma || seed.xMin !== spec.xMin)) {
      throw new AssessmentError(
        'evidence-invalid',
        `seed ${name} is cut at gamma ${seed.gamma}, xMin ${seed.xMin}, the plan's at ${spec.gamma}, ${spec.xMin}; ` +
          'read stable again with the layout of the plan',
      );
    }
  }
}

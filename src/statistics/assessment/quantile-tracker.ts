import type { QuantileGuardrail, StagePlan, Variant } from '../../plan/types.js';
import type { Histogram as RecordedHistogram } from '../../evidence/record.js';
import { logEValue } from '../e-process.js';
import { EvidenceGridBuilder } from '../evidence-grid.js';
import type { EvidenceGrid, GridRange, OneSidedTest } from '../evidence-grid.js';
import { forEachBucket } from '../histogram.js';
import type { Histogram } from '../histogram.js';
import { addTableProfile } from '../table-profile.js';
import { ThresholdTracker } from '../threshold-tracker.js';
import type { ThresholdSnapshot } from '../threshold-tracker.js';
import type { GuardrailEvidence, GuardrailTracker } from './guardrail-tracker.js';
import { HistogramSum } from './histogram-sum.js';
import type { IntervalBatch } from './interval-batch.js';
import { requestsToPromote } from './remaining-requests.js';
import { shownInterval } from './shown-interval.js';
import { StageEvidence } from './stage-evidence.js';
import type { SegmentSnapshot } from './stage-evidence.js';
import { TablePools, addCounts, addTable } from './table-pools.js';
import type { Pool, PoolPlace } from './table-pools.js';
import { significant, whole } from './words.js';

/** θ_R and θ_P: half a bucket of discretisation is no breach, and no merit either (§4.3). */
const BREACH_LIMIT = 0.02;
const PROMOTE_LIMIT = -0.02;

/** Observations of stable without which there is no threshold. */
const THRESHOLD_OBSERVATIONS = 200;

/** A quantile guardrail's state as plain data. */
export interface QuantileSnapshot {
  readonly kind: 'quantile';
  readonly threshold: ThresholdSnapshot;
  /** Compared values by stage of the plan. */
  readonly values: readonly Readonly<Record<Variant, Readonly<Record<string, number>>>>[];
  /** `fixed`: the bucket index of the pool's threshold. Tables: at the limit, at the stage's promote margin. */
  readonly pools: readonly Pool<number>[];
  readonly segments: readonly SegmentSnapshot[];
}

/**
 * A quantile of latency or time to first token: how many values lie above a threshold that follows stable's quantile,
 * the candidate's threshold being `limitShift` buckets higher (for promotion: the stage's shift). The threshold of an
 * interval comes from intervals before it. Source: method §4, §8.5.
 *
 * Warm-up intervals are left out altogether, the threshold included: §8.5 does not use them for latency, and right after
 * a change of the split stable's own latency is as untypical as the candidate's.
 */
export class QuantileTracker implements GuardrailTracker {
  readonly guardrail: QuantileGuardrail;
  private readonly stages: readonly StagePlan[];
  private readonly grid: EvidenceGrid;
  private readonly breachTest: OneSidedTest;
  private readonly display: GridRange;
  private readonly promoteGrid: EvidenceGrid;
  private readonly promoteTest: OneSidedTest;
  private readonly threshold: ThresholdTracker;
  private readonly values: readonly Readonly<Record<Variant, HistogramSum>>[];
  private readonly pools: TablePools<number>;
  private readonly evidence: StageEvidence;
  private cachedBreach: number | null = null;

  /** @param seed stable's values before the rollout; ignored when there is a snapshot to start from */
  constructor(
    guardrail: QuantileGuardrail,
    stages: readonly StagePlan[],
    seed: RecordedHistogram | undefined,
    from?: QuantileSnapshot,
  ) {
    this.guardrail = guardrail;
    this.stages = stages;
    const builder = new EvidenceGridBuilder();
    this.breachTest = builder.greater(BREACH_LIMIT, guardrail.typicalEffect);
    this.display = builder.display();
    this.grid = builder.build();
    const promoteBuilder = new EvidenceGridBuilder();
    this.promoteTest = promoteBuilder.less(PROMOTE_LIMIT, guardrail.typicalEffect);
    this.promoteGrid = promoteBuilder.build();
    this.threshold = new ThresholdTracker({
      quantile: guardrail.quantile,
      minimumObservations: THRESHOLD_OBSERVATIONS,
    });
    if (from) this.threshold.restore(from.threshold);
    else if (seed) this.threshold.add(seed.counts);
    this.values = stages.map((_, index) => ({
      stable: new HistogramSum(from?.values[index]?.stable),
      candidate: new HistogramSum(from?.values[index]?.candidate),
    }));
    this.pools = new TablePools(2, from?.pools);
    const promotePoints = this.promoteGrid.theta.length;
    this.evidence = new StageEvidence({ breachPoints: this.grid.theta.length, promotePoints }, from?.segments);
  }

  absorb(batch: IntervalBatch): void {
    const threshold = this.threshold.threshold();
    const stable: Histogram[] = [];
    for (const { record, stageIndex, compared } of batch.records) {
      const histogram = record.histograms[this.guardrail.name];
      if (!histogram || record.warmup) continue;
      if (record.variant === 'stable') stable.push(histogram.counts);
      if (!compared || this.values[stageIndex]?.[record.variant].add(histogram.counts) === 0) continue;
      const { generation, stratum, warmup } = record;
      this.pool({ stageIndex, generation, stratum, warmup }, threshold, record.variant, histogram.counts);
    }
    for (const pool of this.pools.takeReady()) this.useTables(pool);
    this.follow(stable);
  }

  logBreach(): number {
    this.cachedBreach ??= this.evidence.rolloutLogE(this.breachTest, this.stages);
    return this.cachedBreach;
  }

  gates(): boolean {
    return this.guardrail.action === 'rollback' && this.guardrail.promote !== null;
  }

  read(stageIndex: number, promoteFromGeneration: number, alphaPromote: number): GuardrailEvidence {
    const values = this.values[stageIndex];
    const stable = this.quantileOf(values?.stable);
    const candidate = this.quantileOf(values?.candidate);
    const ratio = stable && candidate !== null ? candidate / stable : null;
    const { promote, promoteTotals } = this.evidence.promotion(stageIndex, promoteFromGeneration);
    const logSafe = logEValue(promote, this.promoteTest);
    return {
      seen: this.seen(stable, candidate, ratio),
      logE: { breach: this.logBreach(), safe: this.guardrail.promote ? logSafe : null },
      stable,
      candidate,
      ratio,
      interval: shownInterval(this.grid.theta, this.evidence.stageProfile(stageIndex), this.display),
      n: { stable: values?.stable.total ?? 0, candidate: values?.candidate.total ?? 0 },
      waits: this.waits(),
      remaining: this.guardrail.promote
        ? requestsToPromote({
            totals: promoteTotals,
            limit: PROMOTE_LIMIT,
            logELess: logSafe,
            alpha: alphaPromote,
          })
        : null,
    };
  }

  snapshot(): QuantileSnapshot {
    return {
      kind: 'quantile',
      threshold: this.threshold.snapshot(),
      values: this.values.map(({ stable, candidate }) => ({
        stable: stable.toHistogram(),
        candidate: candidate.toHistogram(),
      })),
      pools: this.pools.snapshot(),
      segments: this.evidence.snapshot(),
    };
  }

  /** Adds values to the pool of their place, whose threshold was fixed when it began. */
  private pool(place: PoolPlace, threshold: number | null, variant: Variant, values: Histogram): void {
    const pool = this.pools.open(place) ?? (threshold === null ? null : this.pools.at(place, threshold));
    if (!pool) return;
    const indexes = this.shifts(place.stageIndex).map((shift) => pool.fixed + (variant === 'candidate' ? shift : 0));
    const { total, above } = countAbove(values, indexes);
    for (const [which, table] of pool.tables.entries()) addCounts(table, variant, total, above[which] ?? 0);
  }

  /** Moves the threshold on, for the intervals to come: by all that stable answered, compared or not. */
  private follow(stable: readonly Histogram[]): void {
    const [first, ...others] = stable;
    if (!first) return;
    if (others.length === 0) {
      this.threshold.add(first);
      return;
    }
    // One step for the whole interval end, however many replicas its values came from.
    const sum = new HistogramSum(first);
    for (const other of others) sum.add(other);
    this.threshold.add(sum.toHistogram());
  }

  private useTables({ place, tables: [atLimit, atMargin] }: Pool<number>): void {
    if (!atLimit || !atMargin) return;
    const segment = this.evidence.segment(place.stageIndex, place.generation);
    addTableProfile(segment.breach, this.grid.theta, atLimit);
    addTableProfile(segment.promote, this.promoteGrid.theta, atMargin);
    addTable(segment.promoteTotals, atMargin);
    this.cachedBreach = null;
  }

  /** Buckets by which the candidate's threshold lies higher: for the limit, and for promotion from this stage. */
  private shifts(stageIndex: number): readonly [number, number] {
    const { limitShift, promote } = this.guardrail;
    const stage = this.stages[stageIndex];
    return [limitShift, stage && promote ? promote.shifts[stage.ladder] : limitShift];
  }

  private quantileOf(values: HistogramSum | undefined): number | null {
    return values?.quantile(this.guardrail.quantile, this.guardrail.histogram) ?? null;
  }

  private seen(stable: number | null, candidate: number | null, ratio: number | null): string {
    const { signal, quantile } = this.guardrail;
    const name = `${signal} p${significant(100 * quantile)}`;
    if (stable === null || candidate === null || ratio === null) return `${name} not seen on both variants yet`;
    return `${name} ${significant(candidate)} ms against ${significant(stable)} ms, ${ratio.toFixed(2)} times`;
  }

  private waits(): string | null {
    const { observed } = this.threshold;
    if (observed >= THRESHOLD_OBSERVATIONS) return null;
    return `waits for its threshold: ${whole(observed)} of ${whole(THRESHOLD_OBSERVATIONS)} requests of stable`;
  }
}

/**
 * How many values there are, and how many lie in buckets above each index: the halves of `exceedanceTable` for one
 * variant and several thresholds in one pass, since a long stage reads millions of buckets.
 */
function countAbove(
  values: Histogram,
  indexes: readonly number[],
): { readonly total: number; readonly above: readonly number[] } {
  let total = 0;
  const above = indexes.map(() => 0);
  forEachBucket(values, (bucket, count) => {
    total += count;
    for (let which = 0; which < indexes.length; which++) {
      if (bucket > (indexes[which] ?? Infinity)) above[which] = (above[which] ?? 0) + count;
    }
  });
  return { total, above };
}

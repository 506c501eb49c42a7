import type { Histogram as RecordedHistogram } from '../../evidence/record.js';
import type { GuardrailName, Variant } from '../../plan/types.js';
import { sortedBuckets } from '../histogram.js';
import type { Histogram } from '../histogram.js';
import { ThresholdTracker } from '../threshold-tracker.js';
import type { ThresholdSnapshot } from '../threshold-tracker.js';
import { HistogramSum } from './histogram-sum.js';
import type { IntervalBatch, UsedRecord } from './interval-batch.js';
import { TablePools, addCounts } from './table-pools.js';
import type { Pool, PoolSnapshot } from './table-pools.js';
import { whole } from './words.js';

/** Observations of stable without which there is no threshold. */
const THRESHOLD_OBSERVATIONS = 200;

/** θ_R and θ_P: half a bucket of discretisation is no breach, and no merit either (§4.3). */
export const BREACH_LIMIT = 0.02;
export const PROMOTE_LIMIT = -0.02;

/** One way of counting exceedances, a table each. */
export interface ExceedanceColumn {
  /** Which of the quantiles its threshold follows. */
  readonly quantile: number;
  /** Buckets by which the candidate's threshold lies higher in a stage of the plan. */
  readonly shiftAt: (stageIndex: number) => number;
}

export interface ExceedanceOptions {
  /** Of the guardrail: the records' histograms and user buckets have its name. */
  readonly name: GuardrailName;
  readonly quantiles: readonly number[];
  readonly columns: readonly ExceedanceColumn[];
  /** Stages of the plan. */
  readonly stages: number;
}

/** The state as plain data. */
export interface ExceedancesSnapshot {
  /** One for each quantile. */
  readonly thresholds: readonly ThresholdSnapshot[];
  /** Compared values by stage of the plan. */
  readonly values: readonly Readonly<Record<Variant, Readonly<Record<string, number>>>>[];
  /** `fixed`: bucket index of each column's threshold. One table a column. */
  readonly pools: readonly PoolSnapshot<readonly number[]>[];
}

/**
 * Turns a metric's histograms into tables of exceedances: how many values lie above thresholds that follow stable's
 * quantiles, the candidate's being so many buckets higher. The threshold of an interval comes from intervals before it.
 * Source: method §4, §8.5.
 *
 * Warm-up intervals are left out altogether, the thresholds included: §8.5 does not use them for latency and tokens, and
 * right after a change of the split stable's own values are as untypical as the candidate's.
 */
export class Exceedances {
  private readonly name: GuardrailName;
  private readonly columns: readonly ExceedanceColumn[];
  private readonly thresholds: readonly ThresholdTracker[];
  private readonly values: readonly Readonly<Record<Variant, HistogramSum>>[];
  private readonly pools: TablePools<readonly number[]>;

  /** @param seed stable's values before the rollout; ignored when there is a snapshot to start from */
  constructor(options: ExceedanceOptions, seed: RecordedHistogram | undefined, from?: ExceedancesSnapshot) {
    this.name = options.name;
    this.columns = options.columns;
    this.thresholds = options.quantiles.map((quantile, index) => {
      const threshold = new ThresholdTracker({ quantile, minimumObservations: THRESHOLD_OBSERVATIONS });
      const state = from?.thresholds[index];
      if (state) threshold.restore(state);
      else if (seed) threshold.add(seed.counts);
      return threshold;
    });
    this.values = Array.from({ length: options.stages }, (_, index) => ({
      stable: new HistogramSum(from?.values[index]?.stable),
      candidate: new HistogramSum(from?.values[index]?.candidate),
    }));
    this.pools = new TablePools(options.columns.length, from?.pools);
  }

  /** Values of stable that the thresholds rest on, the seed included. */
  get observed(): number {
    return this.thresholds[0]?.observed ?? 0;
  }

  /** What the thresholds still wait for, in words; null = they stand. */
  waits(): string | null {
    if (this.observed >= THRESHOLD_OBSERVATIONS) return null;
    return `waits for its threshold: ${whole(this.observed)} of ${whole(THRESHOLD_OBSERVATIONS)} requests of stable`;
  }

  /** Compared values of a stage. */
  ofStage(stageIndex: number): Readonly<Record<Variant, HistogramSum>> | undefined {
    return this.values[stageIndex];
  }

  /** Uses the records of one interval end; what it returns has become evidence. */
  absorb(batch: IntervalBatch): readonly Pool<readonly number[]>[] {
    const fixed = this.fixedNow();
    const stable: Histogram[] = [];
    for (const used of batch.records) {
      const { record, stageIndex, compared } = used;
      const histogram = record.histograms[this.name];
      if (!histogram || record.warmup) continue;
      if (record.variant === 'stable') stable.push(histogram.counts);
      if (!compared || this.values[stageIndex]?.[record.variant].add(histogram.counts) === 0) continue;
      this.pool(used, fixed, histogram.counts);
    }
    const ready = this.pools.takeReady();
    this.follow(stable);
    return ready;
  }

  snapshot(): ExceedancesSnapshot {
    return {
      thresholds: this.thresholds.map((threshold) => threshold.snapshot()),
      values: this.values.map(({ stable, candidate }) => ({
        stable: stable.toHistogram(),
        candidate: candidate.toHistogram(),
      })),
      pools: this.pools.snapshot(),
    };
  }

  /** Each column's threshold for the interval to come; null while there are too few values of stable. */
  private fixedNow(): readonly number[] | null {
    const indexes = this.thresholds.map((threshold) => threshold.threshold());
    const fixed: number[] = [];
    for (const { quantile } of this.columns) {
      const index = indexes[quantile] ?? null;
      if (index === null) return null;
      fixed.push(index);
    }
    return fixed;
  }

  /** Adds values to the pool of their place, whose thresholds were fixed when it began. */
  private pool({ record, stageIndex }: UsedRecord, fixed: readonly number[] | null, values: Histogram): void {
    const { generation, stratum, variant, warmup } = record;
    const place = { stageIndex, generation, stratum, warmup };
    const pool = this.pools.open(place) ?? (fixed === null ? null : this.pools.at(place, fixed));
    if (!pool) return;
    const indexes = this.columns.map(
      ({ shiftAt }, column) => (pool.fixed[column] ?? Infinity) + (variant === 'candidate' ? shiftAt(stageIndex) : 0),
    );
    const { total, above } = countAbove(values, indexes);
    for (const [column, table] of pool.tables.entries()) addCounts(table, variant, total, above[column] ?? 0);
    pool.users.add(variant, record.buckets[this.name]);
  }

  /** Moves the thresholds on, for the intervals to come: by all that stable answered, compared or not. */
  private follow(stable: readonly Histogram[]): void {
    const [first, ...others] = stable;
    if (!first) return;
    let values = first;
    if (others.length > 0) {
      // One step for the whole interval end, however many replicas its values came from.
      const sum = new HistogramSum(first);
      for (const other of others) sum.add(other);
      values = sum.toHistogram();
    }
    for (const threshold of this.thresholds) threshold.add(values);
  }
}

/**
 * How many values there are, and how many lie in buckets above each index: the halves of `exceedanceTable` for one
 * variant and several thresholds.
 */
function countAbove(
  values: Histogram,
  thresholds: readonly number[],
): { readonly total: number; readonly above: readonly number[] } {
  const { indexes, counts, total } = sortedBuckets(values);
  const above = thresholds.map((threshold) => {
    let sum = 0;
    for (let position = indexes.length - 1; position >= 0 && (indexes[position] ?? 0) > threshold; position--) {
      sum += counts[position] ?? 0;
    }
    return sum;
  });
  return { total, above };
}

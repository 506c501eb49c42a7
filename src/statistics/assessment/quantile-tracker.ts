import type { QuantileGuardrail, StagePlan } from '../../plan/types.js';
import type { Histogram as RecordedHistogram } from '../../evidence/record.js';
import { logEValue } from '../e-process.js';
import { EvidenceGridBuilder } from '../evidence-grid.js';
import type { EvidenceGrid, GridRange, OneSidedTest } from '../evidence-grid.js';
import { addTableProfile } from '../table-profile.js';
import { BREACH_LIMIT, Exceedances, PROMOTE_LIMIT } from './exceedances.js';
import type { ExceedancesSnapshot } from './exceedances.js';
import type { GuardrailEvidence, GuardrailTracker } from './guardrail-tracker.js';
import type { HistogramSum } from './histogram-sum.js';
import type { IntervalBatch } from './interval-batch.js';
import { requestsToPromote } from './remaining-requests.js';
import { shownInterval } from './shown-interval.js';
import { StageEvidence } from './stage-evidence.js';
import type { SegmentSnapshot } from './stage-evidence.js';
import { addTable } from './table-pools.js';
import type { Pool } from './table-pools.js';
import { significant } from './words.js';

/** A quantile guardrail's state as plain data. */
export interface QuantileSnapshot extends ExceedancesSnapshot {
  readonly kind: 'quantile';
  readonly segments: readonly SegmentSnapshot[];
}

/**
 * A quantile of latency or time to first token: how many values lie above a threshold that follows stable's quantile,
 * the candidate's threshold being `limitShift` buckets higher (for promotion: the stage's shift). Source: method §4.
 *
 * Times to first token are those of streams; where stable streams nothing they are not measured and gate nothing.
 */
export class QuantileTracker implements GuardrailTracker {
  readonly guardrail: QuantileGuardrail;
  private readonly stages: readonly StagePlan[];
  private readonly grid: EvidenceGrid;
  private readonly breachTest: OneSidedTest;
  private readonly display: GridRange;
  private readonly promoteGrid: EvidenceGrid;
  private readonly promoteTest: OneSidedTest;
  private readonly exceedances: Exceedances;
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
    const columns = [
      { quantile: 0, shiftAt: () => guardrail.limitShift },
      { quantile: 0, shiftAt: (stageIndex: number) => this.promoteShift(stageIndex) },
    ];
    this.exceedances = new Exceedances(
      { name: guardrail.name, quantiles: [guardrail.quantile], columns, stages: stages.length },
      seed,
      from,
    );
    const promotePoints = this.promoteGrid.theta.length;
    this.evidence = new StageEvidence({ breachPoints: this.grid.theta.length, promotePoints }, from?.segments);
  }

  absorb(batch: IntervalBatch): void {
    for (const pool of this.exceedances.absorb(batch)) this.useTables(pool);
  }

  logBreach(): number {
    this.cachedBreach ??= this.evidence.rolloutLogE(this.breachTest, this.stages);
    return this.cachedBreach;
  }

  gates(): boolean {
    return this.guardrail.action === 'rollback' && this.guardrail.promote !== null && this.isMeasured;
  }

  read(stageIndex: number, promoteFromGeneration: number, alphaPromote: number): GuardrailEvidence {
    const values = this.exceedances.ofStage(stageIndex);
    const stable = this.quantileOf(values?.stable);
    const candidate = this.quantileOf(values?.candidate);
    const ratio = stable && candidate !== null ? candidate / stable : null;
    const { promote, promoteTotals, designEffect } = this.evidence.promotion(stageIndex, promoteFromGeneration);
    const logSafe = logEValue(promote, this.promoteTest, designEffect);
    return {
      seen: this.seen(stable, candidate, ratio),
      logE: { breach: this.logBreach(), safe: this.guardrail.promote ? logSafe : null },
      stable,
      candidate,
      ratio,
      interval: shownInterval(this.grid.theta, this.evidence.stageProfile(stageIndex), this.display),
      designEffect: this.evidence.stageEffect(stageIndex),
      n: { stable: values?.stable.total ?? 0, candidate: values?.candidate.total ?? 0 },
      waits: this.waits(),
      remaining: this.guardrail.promote
        ? requestsToPromote({
            totals: promoteTotals,
            limit: PROMOTE_LIMIT,
            logELess: logSafe,
            alpha: alphaPromote,
            designEffect,
          })
        : null,
    };
  }

  snapshot(): QuantileSnapshot {
    return { kind: 'quantile', ...this.exceedances.snapshot(), segments: this.evidence.snapshot() };
  }

  /** Every request has a latency; only streams have a time to first token. */
  private get isMeasured(): boolean {
    return this.guardrail.signal === 'latency' || this.exceedances.observed > 0;
  }

  private useTables({ place, tables: [atLimit, atMargin], users }: Pool<readonly number[]>): void {
    if (!atLimit || !atMargin) return;
    const segment = this.evidence.segment(place.stageIndex, place.generation);
    addTableProfile(segment.breach, this.grid.theta, atLimit);
    addTableProfile(segment.promote, this.promoteGrid.theta, atMargin);
    addTable(segment.promoteTotals, atMargin);
    segment.users.addSums(users);
    this.cachedBreach = null;
  }

  private promoteShift(stageIndex: number): number {
    const { limitShift, promote } = this.guardrail;
    const stage = this.stages[stageIndex];
    return stage && promote ? promote.shifts[stage.ladder] : limitShift;
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
    if (!this.isMeasured) return 'not measured: stable has answered no streamed request, so it gates nothing';
    return this.exceedances.waits();
  }
}

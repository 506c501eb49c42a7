import type { RateGuardrail, StagePlan } from '../../plan/types.js';
import { absoluteMarginLogE, gateLogE } from '../absolute-margin.js';
import { logEValue } from '../e-process.js';
import { EvidenceGridBuilder } from '../evidence-grid.js';
import type { EvidenceGrid, GridRange, GridTest } from '../evidence-grid.js';
import { addTableProfile } from '../table-profile.js';
import { AssessmentError } from './assessment-error.js';
import type { GuardrailEvidence, GuardrailTracker } from './guardrail-tracker.js';
import type { IntervalBatch, UsedRecord } from './interval-batch.js';
import { BASELINE_TRIALS, PROMOTE_POINTS, frozenBaseline, promoteMargins } from './promote-margin.js';
import type { PromoteMargins } from './promote-margin.js';
import { rateSource } from './rate-source.js';
import type { RateSource } from './rate-source.js';
import { requestsToPromoteRate } from './remaining-requests.js';
import { shownInterval } from './shown-interval.js';
import { StageEvidence } from './stage-evidence.js';
import type { SegmentSnapshot } from './stage-evidence.js';
import { TablePools, addCounts, addTable, emptyTable } from './table-pools.js';
import type { GrowingTable, Pool } from './table-pools.js';
import { percent, whole } from './words.js';

/** A rate guardrail's state as plain data. */
export interface RateSnapshot {
  readonly kind: 'rate';
  readonly baseline: { readonly trials: number; readonly events: number; readonly frozen: number | null };
  /** Compared requests by stage of the plan. */
  readonly totals: readonly GrowingTable[];
  /** `fixed`: the pool began after the baseline was frozen, so that it may speak for promotion. */
  readonly pools: readonly Pool<boolean>[];
  readonly segments: readonly SegmentSnapshot[];
}

/**
 * A rate: bad events among trials, compared table by table; the limit is an odds ratio and works at once, the promote
 * margins wait for stable's own rate. Source: method §2, §3, §3.7, §10.3, §10.4.
 */
export class RateTracker implements GuardrailTracker {
  readonly guardrail: RateGuardrail;
  private readonly stages: readonly StagePlan[];
  private readonly source: RateSource;
  private readonly grid: EvidenceGrid;
  private readonly breachTest: GridTest;
  private readonly display: GridRange;
  private readonly baseline: { trials: number; events: number; frozen: number | null };
  private margins: PromoteMargins | null = null;
  private readonly totals: readonly GrowingTable[];
  private readonly pools: TablePools<boolean>;
  private readonly evidence: StageEvidence;
  private cachedBreach: number | null = null;

  constructor(guardrail: RateGuardrail, stages: readonly StagePlan[], from?: RateSnapshot) {
    const source = rateSource(guardrail.name);
    if (!source) {
      throw new AssessmentError('plan-invalid', `guardrail ${guardrail.name} is not available in this version`);
    }
    this.guardrail = guardrail;
    this.stages = stages;
    this.source = source;
    const builder = new EvidenceGridBuilder();
    const limit = Math.log(guardrail.limit);
    this.breachTest = guardrail.twoSided
      ? builder.twoSided(limit, guardrail.typicalEffect)
      : builder.greater(limit, guardrail.typicalEffect);
    this.display = builder.display();
    this.grid = builder.build();
    this.baseline = { trials: 0, events: 0, frozen: null, ...from?.baseline };
    this.totals = stages.map((_, index) => ({ ...emptyTable(), ...from?.totals[index] }));
    this.pools = new TablePools(1, from?.pools);
    const promotePoints = guardrail.promote ? PROMOTE_POINTS : 0;
    this.evidence = new StageEvidence({ breachPoints: this.grid.theta.length, promotePoints }, from?.segments);
    this.setMargins();
  }

  absorb(batch: IntervalBatch): void {
    for (const used of batch.records) this.absorbRecord(used);
    for (const pool of this.pools.takeReady()) this.useTable(pool);
    this.freezeBaseline();
  }

  logBreach(): number {
    this.cachedBreach ??= this.evidence.rolloutLogE(this.breachTest, this.stages);
    return this.cachedBreach;
  }

  gates(stageIndex: number): boolean {
    const stage = this.stages[stageIndex];
    const { action, promote } = this.guardrail;
    return action === 'rollback' && promote !== null && stage !== undefined && this.source.comparable(stage);
  }

  read(stageIndex: number, promoteFromGeneration: number, alphaPromote: number): GuardrailEvidence {
    const totals = this.totals[stageIndex] ?? emptyTable();
    const stable = rateOf(totals.stableEvents, totals.stableTrials);
    const candidate = rateOf(totals.candidateEvents, totals.candidateTrials);
    return {
      seen: `${this.source.noun} ${shown(candidate)} against ${shown(stable)}`,
      logE: { breach: this.logBreach(), safe: this.logSafe(stageIndex, promoteFromGeneration) },
      stable,
      candidate,
      ratio: stable && candidate !== null ? candidate / stable : null,
      interval: shownInterval(this.grid.theta, this.evidence.stageProfile(stageIndex), this.display),
      n: { stable: totals.stableTrials, candidate: totals.candidateTrials },
      waits: this.waits(),
      remaining: this.remaining(stageIndex, promoteFromGeneration, alphaPromote),
    };
  }

  snapshot(): RateSnapshot {
    return {
      kind: 'rate',
      baseline: { ...this.baseline },
      totals: this.totals.map((table) => ({ ...table })),
      pools: this.pools.snapshot(),
      segments: this.evidence.snapshot(),
    };
  }

  private absorbRecord({ record, stageIndex, stage, compared }: UsedRecord): void {
    const rate = this.source.read(record);
    if (!rate || rate.trials === 0) return;
    const { generation, stratum, variant, warmup } = record;
    const promotes = this.margins !== null;
    if (variant === 'stable') {
      this.baseline.trials += rate.trials;
      this.baseline.events += rate.events;
    } else if (promotes) {
      const { candidateAlone } = this.evidence.segment(stageIndex, generation);
      candidateAlone.trials += rate.trials;
      candidateAlone.events += rate.events;
    }
    if (!compared || !this.source.comparable(stage)) return;
    const pool = this.pools.at({ stageIndex, generation, stratum, warmup }, promotes);
    for (const table of [pool.tables[0], this.totals[stageIndex]]) {
      if (table) addCounts(table, variant, rate.trials, rate.events);
    }
  }

  private useTable({ place, fixed: promotes, tables: [table] }: Pool<boolean>): void {
    if (!table) return;
    const segment = this.evidence.segment(place.stageIndex, place.generation);
    addTableProfile(segment.breach, this.grid.theta, table);
    this.cachedBreach = null;
    const margin = this.marginOf(place.stageIndex);
    if (!promotes || !margin) return;
    addTableProfile(segment.promote, margin.grid.theta, table);
    addTable(segment.promoteTotals, table);
  }

  /** Only counts of trials decide when; the margin then holds for evidence that comes later, never for this. */
  private freezeBaseline(): void {
    const { trials, events, frozen } = this.baseline;
    if (frozen !== null || trials < BASELINE_TRIALS) return;
    this.baseline.frozen = frozenBaseline(trials, events);
    this.setMargins();
  }

  private setMargins(): void {
    const { promote } = this.guardrail;
    if (promote && this.baseline.frozen !== null) this.margins = promoteMargins(this.baseline.frozen, promote);
  }

  private marginOf(stageIndex: number): PromoteMargins['ladder']['early'] | null {
    const stage = this.stages[stageIndex];
    return stage && this.margins ? this.margins.ladder[stage.ladder] : null;
  }

  /** ln(½·E_less + ½·E_abs) of the stage; 0 before the baseline is frozen, null where nothing is promoted on it. */
  private logSafe(stageIndex: number, promoteFromGeneration: number): number | null {
    if (!this.guardrail.promote) return null;
    const margin = this.marginOf(stageIndex);
    if (!margin) return 0;
    const promotion = this.evidence.promotion(stageIndex, promoteFromGeneration);
    const logELess = logEValue(promotion.promote, margin.test);
    return gateLogE(logELess, this.logEAbsolute(promotion.candidateAlone));
  }

  private logEAbsolute({ trials, events }: { readonly trials: number; readonly events: number }): number {
    const q0 = this.margins?.absoluteRate ?? null;
    return q0 === null ? -Infinity : absoluteMarginLogE(events, trials, q0);
  }

  private waits(): string | null {
    if (!this.guardrail.promote || this.margins) return null;
    const { trials } = this.baseline;
    return `promotion waits for ${whole(BASELINE_TRIALS)} requests of stable to fix its margin (${whole(trials)} so far)`;
  }

  private remaining(stageIndex: number, promoteFromGeneration: number, alphaPromote: number): number | null {
    const margin = this.marginOf(stageIndex);
    if (!margin) return null;
    const { promote, promoteTotals, candidateAlone } = this.evidence.promotion(stageIndex, promoteFromGeneration);
    return requestsToPromoteRate({
      totals: promoteTotals,
      candidateAlone,
      limit: margin.test.limit,
      logELess: logEValue(promote, margin.test),
      absoluteRate: this.margins?.absoluteRate ?? null,
      logEAbsolute: this.logEAbsolute(candidateAlone),
      alpha: alphaPromote,
    });
  }
}

function rateOf(events: number, trials: number): number | null {
  return trials === 0 ? null : events / trials;
}

function shown(rate: number | null): string {
  return rate === null ? 'unknown' : percent(rate);
}

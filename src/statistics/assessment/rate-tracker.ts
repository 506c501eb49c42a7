import type { RateGuardrail, StagePlan } from '../../plan/types.js';
import { absoluteMarginLogE, gateLogE } from '../absolute-margin.js';
import { logEValue } from '../e-process.js';
import { addTableProfile } from '../table-profile.js';
import { AssessmentError } from './assessment-error.js';
import type { GuardrailEvidence, GuardrailTracker } from './guardrail-tracker.js';
import type { IntervalBatch, UsedRecord } from './interval-batch.js';
import { BASELINE_TRIALS, PROMOTE_POINTS, frozenBaseline, promoteMargins } from './promote-margin.js';
import type { PromoteMargins } from './promote-margin.js';
import { limitPoints, rateLimit } from './rate-limit.js';
import type { RateLimit } from './rate-limit.js';
import { rateSource } from './rate-source.js';
import type { RateSource } from './rate-source.js';
import { requestsToPromoteRate } from './remaining-requests.js';
import { shownInterval } from './shown-interval.js';
import { StageEvidence } from './stage-evidence.js';
import type { Promotion, SegmentSnapshot } from './stage-evidence.js';
import { TablePools, addCounts, addTable, emptyTable } from './table-pools.js';
import type { GrowingTable, Pool, PoolSnapshot } from './table-pools.js';
import { percent, whole } from './words.js';

/** A rate guardrail's state as plain data. */
export interface RateSnapshot {
  readonly kind: 'rate';
  readonly baseline: { readonly trials: number; readonly events: number; readonly frozen: number | null };
  /** Requests of compared strata by stage of the plan. */
  readonly totals: readonly GrowingTable[];
  /** `fixed`: the pool began after the baseline was frozen, so that what depends on the baseline may use it. */
  readonly pools: readonly PoolSnapshot<boolean>[];
  readonly segments: readonly SegmentSnapshot[];
}

/**
 * A rate: bad events among trials, compared table by table. A limit on odds works at once; promote margins, and a limit
 * on rates, wait for stable's own rate and use only evidence that comes later. Source: method §2, §3, §8.4, §10.3, §10.4.
 */
export class RateTracker implements GuardrailTracker {
  readonly guardrail: RateGuardrail;
  private readonly stages: readonly StagePlan[];
  private readonly source: RateSource;
  private readonly baseline: { trials: number; events: number; frozen: number | null };
  private limit: RateLimit | null = null;
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
    this.baseline = { trials: 0, events: 0, frozen: null, ...from?.baseline };
    this.totals = stages.map((_, index) => ({ ...emptyTable(), ...from?.totals[index] }));
    this.pools = new TablePools(1, from?.pools);
    const promotePoints = guardrail.promote ? PROMOTE_POINTS : 0;
    this.evidence = new StageEvidence({ breachPoints: limitPoints(guardrail), promotePoints }, from?.segments);
    this.setLimits();
  }

  absorb(batch: IntervalBatch): void {
    for (const used of batch.records) this.absorbRecord(used);
    for (const pool of this.pools.takeReady()) this.useTable(pool);
    this.freezeBaseline();
  }

  logBreach(): number {
    if (this.limit === null) return 0;
    this.cachedBreach ??= this.evidence.rolloutLogE(this.limit.test, this.stages);
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
      interval: this.interval(stageIndex),
      designEffect: this.evidence.stageEffect(stageIndex),
      n: { stable: totals.stableTrials, candidate: totals.candidateTrials },
      waits: this.waits(stageIndex),
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
    if (warmup && !this.source.usesWarmup) return;
    const users = record.buckets[this.guardrail.name];
    if (variant === 'stable') {
      this.baseline.trials += rate.trials;
      this.baseline.events += rate.events;
    } else if (this.margins) {
      const { candidateAlone, usersAlone } = this.evidence.segment(stageIndex, generation);
      candidateAlone.trials += rate.trials;
      candidateAlone.events += rate.events;
      usersAlone.add(variant, users);
    }
    if (!compared) return;
    const totals = this.totals[stageIndex];
    if (totals) addCounts(totals, variant, rate.trials, rate.events);
    if (!this.source.comparable(stage)) return;
    const pool = this.pools.at({ stageIndex, generation, stratum, warmup }, this.baseline.frozen !== null);
    const [table] = pool.tables;
    if (table) addCounts(table, variant, rate.trials, rate.events);
    pool.users.add(variant, users);
  }

  private useTable({ place, fixed: isAfterFreeze, tables: [table], users }: Pool<boolean>): void {
    if (!table || !this.limit || (this.source.limitOf === 'rates' && !isAfterFreeze)) return;
    const segment = this.evidence.segment(place.stageIndex, place.generation);
    addTableProfile(segment.breach, this.limit.grid.theta, table);
    segment.users.addSums(users);
    this.cachedBreach = null;
    const margin = this.marginOf(place.stageIndex);
    if (!isAfterFreeze || !margin) return;
    addTableProfile(segment.promote, margin.grid.theta, table);
    addTable(segment.promoteTotals, table);
  }

  /** Only counts of trials decide when; what is made of it then holds for evidence that comes later, never for this. */
  private freezeBaseline(): void {
    const { trials, events, frozen } = this.baseline;
    if (frozen !== null || trials < BASELINE_TRIALS) return;
    this.baseline.frozen = frozenBaseline(trials, events);
    this.setLimits();
  }

  private setLimits(): void {
    const { frozen } = this.baseline;
    const { promote } = this.guardrail;
    this.limit ??= rateLimit(this.guardrail, this.source.limitOf, frozen);
    if (promote && frozen !== null) this.margins = promoteMargins(frozen, promote);
  }

  private interval(stageIndex: number): readonly [number | null, number | null] {
    if (this.limit === null) return [null, null];
    return shownInterval(this.limit.grid.theta, this.evidence.stageProfile(stageIndex), this.limit.display);
  }

  private marginOf(stageIndex: number): PromoteMargins['ladder']['early'] | null {
    const stage = this.stages[stageIndex];
    return stage && this.margins ? this.margins.ladder[stage.ladder] : null;
  }

  /** ln(½·E_less + ½·E_abs) of the stage; 0 before the baseline is frozen, null where nothing is promoted on it. */
  private logSafe(stageIndex: number, promoteFromGeneration: number): number | null {
    if (!this.guardrail.promote || this.onlyShown(stageIndex) !== null) return null;
    const margin = this.marginOf(stageIndex);
    if (!margin) return 0;
    const promotion = this.evidence.promotion(stageIndex, promoteFromGeneration);
    const logELess = logEValue(promotion.promote, margin.test, promotion.designEffect);
    return gateLogE(logELess, this.logEAbsolute(promotion));
  }

  private logEAbsolute({ candidateAlone, designEffectAlone }: Promotion): number {
    const q0 = this.margins?.absoluteRate ?? null;
    const { trials, events } = candidateAlone;
    return q0 === null ? -Infinity : absoluteMarginLogE(events, trials, q0, designEffectAlone);
  }

  /** Why the stage does not compare the variants on it; null = it does. */
  private onlyShown(stageIndex: number): string | null {
    const stage = this.stages[stageIndex];
    return stage ? this.source.onlyShown(stage) : null;
  }

  private waits(stageIndex: number): string | null {
    const onlyShown = this.onlyShown(stageIndex);
    if (onlyShown !== null) return onlyShown;
    const { trials } = this.baseline;
    if (this.limit === null)
      return `waits for ${whole(BASELINE_TRIALS)} requests of stable to fix its limit (${whole(trials)} so far)`;
    if (!this.guardrail.promote || this.margins) return null;
    return `promotion waits for ${whole(BASELINE_TRIALS)} requests of stable to fix its margin (${whole(trials)} so far)`;
  }

  private remaining(stageIndex: number, promoteFromGeneration: number, alphaPromote: number): number | null {
    const margin = this.marginOf(stageIndex);
    if (!margin || this.onlyShown(stageIndex) !== null) return null;
    const promotion = this.evidence.promotion(stageIndex, promoteFromGeneration);
    return requestsToPromoteRate({
      totals: promotion.promoteTotals,
      candidateAlone: promotion.candidateAlone,
      limit: margin.test.limit,
      logELess: logEValue(promotion.promote, margin.test, promotion.designEffect),
      absoluteRate: this.margins?.absoluteRate ?? null,
      logEAbsolute: this.logEAbsolute(promotion),
      alpha: alphaPromote,
      designEffect: promotion.designEffect,
      designEffectAlone: promotion.designEffectAlone,
    });
  }
}

function rateOf(events: number, trials: number): number | null {
  return trials === 0 ? null : events / trials;
}

function shown(rate: number | null): string {
  return rate === null ? 'unknown' : percent(rate);
}

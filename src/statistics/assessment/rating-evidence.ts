import type { UserBuckets } from '../../evidence/record.js';
import type { RateGuardrail, StagePlan, Variant } from '../../plan/types.js';
import { absoluteMarginLogE, gateLogE } from '../absolute-margin.js';
import { logEValue } from '../e-process.js';
import { addTableProfile } from '../table-profile.js';
import { BASELINE_TRIALS, PROMOTE_POINTS, frozenBaseline, promoteMargins } from './promote-margin.js';
import type { PromoteMargin, PromoteMargins } from './promote-margin.js';
import { limitPoints, oddsLimit } from './rate-limit.js';
import type { RateLimit } from './rate-limit.js';
import { requestsToPromoteRate } from './remaining-requests.js';
import { shownInterval } from './shown-interval.js';
import { StageEvidence } from './stage-evidence.js';
import type { Promotion, SegmentSnapshot } from './stage-evidence.js';
import { TablePools, addCounts, addTable } from './table-pools.js';
import type { Pool, PoolPlace, PoolSnapshot } from './table-pools.js';

/** What is asked of a bad event among ratings, or of a rating among requests. */
export type RatingLimits = Pick<RateGuardrail, 'limit' | 'twoSided' | 'typicalEffect' | 'promote'>;

/** Counts of one variant in one interval. */
export interface VariantCounts {
  readonly trials: number;
  readonly events: number;
  /** By user bucket; undefined = nothing tells the users. */
  readonly users: UserBuckets | undefined;
}

/** The state as plain data. */
export interface RatingEvidenceSnapshot {
  readonly baseline: { readonly trials: number; readonly events: number; readonly frozen: number | null };
  /** `fixed`: the pool began after the baseline was frozen, so that it may speak for promotion. */
  readonly pools: readonly PoolSnapshot<boolean>[];
  readonly segments: readonly SegmentSnapshot[];
}

/**
 * The evidence of one event that ratings tell of, compared table by table: one cut of the ratings, or that a request was
 * rated at all. The limit is an odds ratio and works at once; promote margins wait for stable's own rate and use only
 * evidence that comes later. Source: method §2, §3, §5.1, §10.3, §10.4.
 */
export class RatingEvidence {
  private readonly stages: readonly StagePlan[];
  private readonly promote: RatingLimits['promote'];
  private readonly limit: RateLimit;
  private readonly baseline: { trials: number; events: number; frozen: number | null };
  private margins: PromoteMargins | null = null;
  private readonly pools: TablePools<boolean>;
  private readonly evidence: StageEvidence;
  private cachedBreach: number | null = null;

  constructor(limits: RatingLimits, stages: readonly StagePlan[], from?: RatingEvidenceSnapshot) {
    this.stages = stages;
    this.promote = limits.promote;
    this.limit = oddsLimit(limits);
    this.baseline = { trials: 0, events: 0, frozen: null, ...from?.baseline };
    this.pools = new TablePools(1, from?.pools);
    const promotePoints = limits.promote ? PROMOTE_POINTS : 0;
    this.evidence = new StageEvidence({ breachPoints: limitPoints(limits), promotePoints }, from?.segments);
    this.setMargins();
  }

  /** Adds what one variant has in an interval; `compared`: its stage compares the variants on it. */
  add(place: PoolPlace, variant: Variant, { trials, events, users }: VariantCounts, compared: boolean): void {
    if (trials === 0) return;
    if (variant === 'stable') {
      this.baseline.trials += trials;
      this.baseline.events += events;
    } else if (this.margins) {
      const { candidateAlone, usersAlone } = this.evidence.segment(place.stageIndex, place.generation);
      candidateAlone.trials += trials;
      candidateAlone.events += events;
      usersAlone.add(variant, users);
    }
    if (!compared) return;
    const pool = this.pools.at(place, this.margins !== null);
    const [table] = pool.tables;
    if (table) addCounts(table, variant, trials, events);
    pool.users.add(variant, users);
  }

  /** Uses the pools that have enough, once all of an interval has been added. */
  usePools(): void {
    for (const pool of this.pools.takeReady()) this.useTable(pool);
  }

  /** Only counts of trials decide when; the margin then holds for evidence that comes later, never for this. */
  freezeBaseline(): void {
    const { trials, events, frozen } = this.baseline;
    if (frozen !== null || trials < BASELINE_TRIALS) return;
    this.baseline.frozen = frozenBaseline(trials, events);
    this.setMargins();
  }

  /** Trials of stable that the margins still wait for, and how many there are; null = they are fixed. */
  get baselineTrials(): number | null {
    return this.baseline.frozen === null ? this.baseline.trials : null;
  }

  /** ln of the e-value towards the guardrail's action over the whole rollout. Nats. */
  logBreach(): number {
    this.cachedBreach ??= this.evidence.rolloutLogE(this.limit.test, this.stages);
    return this.cachedBreach;
  }

  /** ln(½·E_less + ½·E_abs) of the stage; 0 before the margins are fixed. */
  logSafe(stageIndex: number, promoteFromGeneration: number): number {
    const margin = this.marginOf(stageIndex);
    if (!margin) return 0;
    const promotion = this.evidence.promotion(stageIndex, promoteFromGeneration);
    const logELess = logEValue(promotion.promote, margin.test, promotion.designEffect);
    return gateLogE(logELess, this.logEAbsolute(promotion));
  }

  /** The stage's confidence sequence as an odds ratio. */
  interval(stageIndex: number): readonly [number | null, number | null] {
    return shownInterval(this.limit.grid.theta, this.evidence.stageProfile(stageIndex), this.limit.display);
  }

  /** Trials of both variants that promotion still needs; null = unknowable or never. */
  remaining(stageIndex: number, promoteFromGeneration: number, alphaPromote: number): number | null {
    const margin = this.marginOf(stageIndex);
    if (!margin) return null;
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

  snapshot(): RatingEvidenceSnapshot {
    return {
      baseline: { ...this.baseline },
      pools: this.pools.snapshot(),
      segments: this.evidence.snapshot(),
    };
  }

  private useTable({ place, fixed: promotes, tables: [table], users }: Pool<boolean>): void {
    if (!table) return;
    const segment = this.evidence.segment(place.stageIndex, place.generation);
    addTableProfile(segment.breach, this.limit.grid.theta, table);
    segment.users.addSums(users);
    this.cachedBreach = null;
    const margin = this.marginOf(place.stageIndex);
    if (!promotes || !margin) return;
    addTableProfile(segment.promote, margin.grid.theta, table);
    addTable(segment.promoteTotals, table);
  }

  private setMargins(): void {
    if (this.promote && this.baseline.frozen !== null) {
      this.margins = promoteMargins(this.baseline.frozen, this.promote);
    }
  }

  private marginOf(stageIndex: number): PromoteMargin | null {
    const stage = this.stages[stageIndex];
    return stage && this.margins ? this.margins.ladder[stage.ladder] : null;
  }

  private logEAbsolute({ candidateAlone, designEffectAlone }: Promotion): number {
    const q0 = this.margins?.absoluteRate ?? null;
    const { trials, events } = candidateAlone;
    return q0 === null ? -Infinity : absoluteMarginLogE(events, trials, q0, designEffectAlone);
  }
}

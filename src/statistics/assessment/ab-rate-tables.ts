import type { LadderStep, RateGuardrail, StagePlan, Variant } from '../../plan/types.js';
import { EvidenceGridBuilder } from '../evidence-grid.js';
import type { AbTables, MarginTests } from './ab-source.js';
import { BASELINE_TRIALS, frozenBaseline, marginEffect, promoteMargins } from './promote-margin.js';
import type { PromoteMargin } from './promote-margin.js';
import type { VariantCounts } from './rating-evidence.js';
import { TablePools, addCounts } from './table-pools.js';
import type { PoolPlace, PoolSnapshot } from './table-pools.js';

/** The state as plain data. */
export interface AbRateTablesSnapshot {
  readonly baseline: { readonly trials: number; readonly events: number; readonly frozen: number | null };
  /** `fixed`: the pool began after the baseline was frozen, so that the margin may speak of it. */
  readonly pools: readonly PoolSnapshot<boolean>[];
}

/**
 * One bad event, counted for an A/B comparison: a table serves all tests. The margin is the promote margin of the stage's
 * step as an odds ratio, the same distance both ways, around stable's own rate over the rollout, frozen as for promotion.
 */
export class AbRateTables {
  private readonly promote: RateGuardrail['promote'];
  private readonly baseline: { trials: number; events: number; frozen: number | null };
  private readonly pools: TablePools<boolean>;
  private fixed: Readonly<Record<LadderStep, MarginTests>> | null = null;

  constructor(promote: RateGuardrail['promote'], from?: AbRateTablesSnapshot) {
    this.promote = promote;
    this.baseline = { trials: 0, events: 0, frozen: null, ...from?.baseline };
    this.pools = new TablePools(1, from?.pools);
    this.fixMargins();
  }

  /** Adds what one variant has in an interval; `compared`: an ab stage compares the variants on it. */
  add(place: PoolPlace, variant: Variant, { trials, events, users }: VariantCounts, compared: boolean): void {
    if (trials === 0) return;
    if (variant === 'stable') {
      this.baseline.trials += trials;
      this.baseline.events += events;
    }
    if (!compared) return;
    const pool = this.pools.at(place, this.fixed !== null);
    const [table] = pool.tables;
    if (table) addCounts(table, variant, trials, events);
    pool.users.add(variant, users);
  }

  /** What has become evidence, once all of an interval end has been added. */
  takeReady(cut: number): readonly AbTables[] {
    return this.pools.takeReady().flatMap(({ place, fixed, tables: [table], users }): AbTables[] => {
      if (!table) return [];
      return [{ place, cut, equality: table, margin: fixed ? { notWorse: table, notBetter: table } : null, users }];
    });
  }

  /** Only counts of trials decide when; the margin then holds for evidence that comes later, never for this. */
  freezeBaseline(): void {
    const { trials, events, frozen } = this.baseline;
    if (frozen !== null || trials < BASELINE_TRIALS) return;
    this.baseline.frozen = frozenBaseline(trials, events);
    this.fixMargins();
  }

  /** Trials of stable so far while the margin waits for enough of them; null = it is fixed, or there is none. */
  get awaitedTrials(): number | null {
    return this.promote === null || this.fixed !== null ? null : this.baseline.trials;
  }

  margins(stage: StagePlan): MarginTests | null {
    return this.fixed?.[stage.ladder] ?? null;
  }

  snapshot(): AbRateTablesSnapshot {
    return { baseline: { ...this.baseline }, pools: this.pools.snapshot() };
  }

  private fixMargins(): void {
    if (this.promote === null || this.baseline.frozen === null) return;
    const { ladder } = promoteMargins(this.baseline.frozen, this.promote);
    this.fixed = { early: bothWays(ladder.early), middle: bothWays(ladder.middle), late: bothWays(ladder.late) };
  }
}

/** A promote margin and the same distance on the other side of no difference. */
function bothWays(notWorse: PromoteMargin): MarginTests {
  const { limit } = notWorse.test;
  const builder = new EvidenceGridBuilder();
  const test = builder.greater(-limit, marginEffect(limit));
  return { notWorse, notBetter: { grid: builder.build(), test } };
}

/** A rate's margin in words: the odds ratios between which the variants are alike. */
export function oddsWords(margins: MarginTests | null): string | null {
  if (margins === null) return null;
  const { limit } = margins.notWorse.test;
  return `odds ratio ${Math.exp(-limit).toFixed(2)} to ${Math.exp(limit).toFixed(2)}`;
}

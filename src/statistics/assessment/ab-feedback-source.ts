import type { FeedbackGuardrail, StagePlan, Variant } from '../../plan/types.js';
import { AbRateTables, oddsWords } from './ab-rate-tables.js';
import type { AbRateTablesSnapshot } from './ab-rate-tables.js';
import { equalityTests } from './ab-source.js';
import type { AbSource, AbTables, EqualityTests, MarginTests } from './ab-source.js';
import { countsByCut } from './feedback-tracker.js';
import type { IntervalBatch } from './interval-batch.js';
import { BASELINE_TRIALS, PROMOTE_POINTS } from './promote-margin.js';
import { CUTS, RATING_KINDS, SHOWN_CUT } from './rated-interval.js';
import type { RatedInterval } from './rated-interval.js';
import { onlyShownRatings } from './rating-stage.js';
import { RatingWindow } from './rating-window.js';
import type { RatingWindowSnapshot } from './rating-window.js';
import { whole } from './words.js';

/** The state of an A/B comparison of ratings as plain data. */
export interface AbFeedbackSnapshot {
  readonly kind: 'feedback';
  readonly window: RatingWindowSnapshot;
  /** One for each place at which a score is cut. */
  readonly cuts: readonly AbRateTablesSnapshot[];
}

const VARIANTS = ['stable', 'candidate'] as const satisfies readonly Variant[];

/**
 * A/B comparison of ratings, filed and waited for as the feedback guardrail does, and cut at the same places: a difference
 * is the average over the cuts, the margin has to hold at every cut. Source: method §5.1.
 */
export class AbFeedbackSource implements AbSource {
  readonly cuts = CUTS.length;
  readonly equality: EqualityTests;
  readonly marginPoints: number;
  private readonly stages: readonly StagePlan[];
  private readonly window: RatingWindow;
  private readonly tables: readonly AbRateTables[];

  constructor(guardrail: FeedbackGuardrail, stages: readonly StagePlan[], from?: AbFeedbackSnapshot) {
    this.stages = stages;
    this.equality = equalityTests(0, guardrail.typicalEffect);
    this.marginPoints = guardrail.promote ? PROMOTE_POINTS : 0;
    this.window = new RatingWindow(stages, 'ratings', from?.window);
    this.tables = CUTS.map((_, cut) => new AbRateTables(guardrail.promote, from?.cuts[cut]));
  }

  absorb(batch: IntervalBatch): readonly AbTables[] {
    const ready = this.window.take(batch).flatMap((interval) => this.use(interval));
    for (const tables of this.tables) tables.freezeBaseline();
    return ready;
  }

  margins(stage: StagePlan, cut: number): MarginTests | null {
    return this.tables[cut]?.margins(stage) ?? null;
  }

  /** Of the cut that people are shown. */
  marginWords(stage: StagePlan): string | null {
    return oddsWords(this.margins(stage, SHOWN_CUT));
  }

  waits(): string | null {
    const ratings = this.tables[SHOWN_CUT]?.awaitedTrials ?? null;
    if (ratings === null) return null;
    return `the margin waits for ${whole(BASELINE_TRIALS)} ratings of stable (${whole(ratings)} so far)`;
  }

  snapshot(): AbFeedbackSnapshot {
    return {
      kind: 'feedback',
      window: this.window.snapshot(),
      cuts: this.tables.map((tables) => tables.snapshot()),
    };
  }

  private use({ stageIndex, generation, stratum, warmup, variants }: RatedInterval): readonly AbTables[] {
    const stage = this.stages[stageIndex];
    const isCompared = stage?.kind === 'ab' && onlyShownRatings(stage) === null;
    for (const kind of RATING_KINDS) {
      // Who scores is not who gives thumbs: each kind has tables of its own.
      const place = { stageIndex, generation, stratum: `${stratum} ${kind}`, warmup };
      for (const variant of VARIANTS) {
        for (const [cut, counts] of countsByCut(variants[variant], kind).entries()) {
          this.tables[cut]?.add(place, variant, counts, isCompared);
        }
      }
    }
    return this.tables.flatMap((tables, cut) => tables.takeReady(cut));
  }
}

import type { FeedbackGuardrail, StagePlan, Variant } from '../../plan/types.js';
import { averageLogE } from '../cuts.js';
import type { GuardrailEvidence, GuardrailTracker } from './guardrail-tracker.js';
import type { IntervalBatch } from './interval-batch.js';
import { BASELINE_TRIALS } from './promote-margin.js';
import { CUTS, RATING_KINDS, SHOWN_CUT, cutCounts } from './rated-interval.js';
import type { RatedInterval, RatedVariant, RatingKind } from './rated-interval.js';
import { RatingEvidence } from './rating-evidence.js';
import type { RatingEvidenceSnapshot, VariantCounts } from './rating-evidence.js';
import { onlyShownRatings } from './rating-stage.js';
import { RatingWindow } from './rating-window.js';
import type { RatingWindowSnapshot } from './rating-window.js';
import { addCounts, emptyTable } from './table-pools.js';
import type { GrowingTable, PoolPlace } from './table-pools.js';
import { percent, whole } from './words.js';

/** The feedback guardrail's state as plain data. */
export interface FeedbackSnapshot {
  readonly kind: 'feedback';
  readonly window: RatingWindowSnapshot;
  /** Ratings by stage of the plan; events are the bad ones. */
  readonly totals: readonly GrowingTable[];
  /** One for each place at which a score is cut. */
  readonly cuts: readonly RatingEvidenceSnapshot[];
}

const VARIANTS = ['stable', 'candidate'] as const satisfies readonly Variant[];

/**
 * Ratings of users, thumbs or scores: a score is cut at each place, a thumb counts at every cut, and the average of the
 * cuts' e-values tests "nowhere worse in distribution". With thumbs alone the cuts are one and the same.
 *
 * Promotion asks more: below its margin at *every* cut, so the least of the cuts opens the gate, as each has to that opens
 * a stage. Source: method §5.1, §10.3, §10.4.
 */
export class FeedbackTracker implements GuardrailTracker {
  readonly guardrail: FeedbackGuardrail;
  private readonly stages: readonly StagePlan[];
  private readonly window: RatingWindow;
  private readonly totals: readonly GrowingTable[];
  private readonly cuts: readonly RatingEvidence[];

  constructor(guardrail: FeedbackGuardrail, stages: readonly StagePlan[], from?: FeedbackSnapshot) {
    this.guardrail = guardrail;
    this.stages = stages;
    this.window = new RatingWindow(stages, 'ratings', from?.window);
    this.totals = stages.map((_, index) => ({ ...emptyTable(), ...from?.totals[index] }));
    const limits = { ...guardrail, twoSided: false };
    this.cuts = CUTS.map((_, cut) => new RatingEvidence(limits, stages, from?.cuts[cut]));
  }

  absorb(batch: IntervalBatch): void {
    for (const interval of this.window.take(batch)) this.use(interval);
    for (const cut of this.cuts) cut.freezeBaseline();
  }

  logBreach(): number {
    return averageLogE(this.cuts.map((cut) => cut.logBreach()));
  }

  gates(stageIndex: number): boolean {
    const { action, promote } = this.guardrail;
    return action === 'rollback' && promote !== null && this.isCompared(stageIndex);
  }

  read(stageIndex: number, promoteFromGeneration: number, alphaPromote: number): GuardrailEvidence {
    const totals = this.totals[stageIndex] ?? emptyTable();
    const stable = shareOf(totals.stableEvents, totals.stableTrials);
    const candidate = shareOf(totals.candidateEvents, totals.candidateTrials);
    const isGate = this.guardrail.promote !== null && this.isCompared(stageIndex);
    return {
      seen: `bad ratings ${shown(candidate)} against ${shown(stable)}`,
      untested: untestedOf(this.window),
      logE: { breach: this.logBreach(), safe: isGate ? this.logSafe(stageIndex, promoteFromGeneration) : null },
      stable,
      candidate,
      ratio: stable && candidate !== null ? candidate / stable : null,
      interval: this.cuts[SHOWN_CUT]?.interval(stageIndex) ?? [null, null],
      n: { stable: totals.stableTrials, candidate: totals.candidateTrials },
      waits: this.waits(stageIndex),
      remaining: isGate ? this.remaining(stageIndex, promoteFromGeneration, alphaPromote) : null,
    };
  }

  snapshot(): FeedbackSnapshot {
    return {
      kind: 'feedback',
      window: this.window.snapshot(),
      totals: this.totals.map((table) => ({ ...table })),
      cuts: this.cuts.map((cut) => cut.snapshot()),
    };
  }

  private use(interval: RatedInterval): void {
    const { stageIndex, generation, stratum, warmup } = interval;
    const isCompared = this.isCompared(stageIndex);
    for (const kind of RATING_KINDS) {
      // Who scores is not who gives thumbs: each kind has tables of its own.
      const place: PoolPlace = { stageIndex, generation, stratum: `${stratum} ${kind}`, warmup };
      for (const variant of VARIANTS) {
        const counts = countsByCut(interval.variants[variant], kind);
        for (const [index, cut] of this.cuts.entries()) {
          const ofCut = counts[index];
          if (ofCut) cut.add(place, variant, ofCut, isCompared);
        }
        const bad = counts[SHOWN_CUT];
        const totals = this.totals[stageIndex];
        if (bad && totals) addCounts(totals, variant, bad.trials, bad.events);
      }
    }
    for (const cut of this.cuts) cut.usePools();
  }

  private isCompared(stageIndex: number): boolean {
    const stage = this.stages[stageIndex];
    return stage !== undefined && onlyShownRatings(stage) === null;
  }

  private logSafe(stageIndex: number, promoteFromGeneration: number): number {
    return Math.min(...this.cuts.map((cut) => cut.logSafe(stageIndex, promoteFromGeneration)));
  }

  /** Of the slowest cut. */
  private remaining(stageIndex: number, promoteFromGeneration: number, alphaPromote: number): number | null {
    let most = 0;
    for (const cut of this.cuts) {
      const remaining = cut.remaining(stageIndex, promoteFromGeneration, alphaPromote);
      if (remaining === null) return null;
      most = Math.max(most, remaining);
    }
    return most;
  }

  private waits(stageIndex: number): string | null {
    const stage = this.stages[stageIndex];
    const onlyShown = stage ? onlyShownRatings(stage) : null;
    if (onlyShown !== null) return onlyShown;
    const trials = this.cuts[SHOWN_CUT]?.baselineTrials ?? null;
    if (this.guardrail.promote === null || trials === null) return null;
    return `promotion waits for ${whole(BASELINE_TRIALS)} ratings of stable to fix its margin (${whole(trials)} so far)`;
  }
}

/** Ratings of one kind and variant, and the bad ones at each cut, with the users behind them. */
export function countsByCut(variant: RatedVariant, kind: RatingKind): readonly VariantCounts[] {
  const inBuckets = Object.entries(variant.ratings)
    .map(([bucket, counts]) => ({ bucket, ...cutCounts(counts, kind) }))
    .filter(({ trials }) => trials > 0);
  return CUTS.map((_, cut) => {
    const trials: Record<string, number> = {};
    const events: Record<string, number> = {};
    let allTrials = 0;
    let allEvents = 0;
    for (const one of inBuckets) {
      const bad = one.events[cut] ?? 0;
      trials[one.bucket] = one.trials;
      if (bad > 0) events[one.bucket] = bad;
      allTrials += one.trials;
      allEvents += bad;
    }
    return { trials: allTrials, events: allEvents, users: { trials, events } };
  });
}

function shareOf(events: number, trials: number): number | null {
  return trials === 0 ? null : events / trials;
}

function shown(share: number | null): string {
  return share === null ? 'unknown' : percent(share);
}

/** Ratings of the rollout that are not tested, or not yet. */
function untestedOf({ leftOut, waiting }: Pick<RatingWindow, 'leftOut' | 'waiting'>): string | null {
  const { afterHorizon, late, unknownGeneration, otherRollout, lostInterval } = leftOut;
  const reasons: readonly (readonly [number, string])[] = [
    [afterHorizon, 'after the horizon'],
    [late, 'too late for their interval'],
    [unknownGeneration, 'of requests without evidence'],
    [otherRollout, 'of another rollout'],
    [lostInterval, 'in incomplete intervals'],
  ];
  const words = reasons.flatMap(([count, why]) => (count > 0 ? [`${whole(count)} ${why}`] : []));
  const parts = [
    ...(waiting > 0 ? [`${whole(waiting)} ratings wait for their horizon`] : []),
    ...(words.length > 0 ? [`left out: ${words.join(', ')}`] : []),
  ];
  return parts.length === 0 ? null : parts.join('; ');
}

import type { RateGuardrail, StagePlan, Variant } from '../../plan/types.js';
import type { GuardrailEvidence, GuardrailTracker } from './guardrail-tracker.js';
import type { IntervalBatch } from './interval-batch.js';
import { ratingsIn, ratingsOf } from './rated-interval.js';
import type { RatedInterval, RatedVariant } from './rated-interval.js';
import { RatingEvidence } from './rating-evidence.js';
import type { RatingEvidenceSnapshot, VariantCounts } from './rating-evidence.js';
import { onlyShownRatings } from './rating-stage.js';
import { RatingWindow } from './rating-window.js';
import type { RatingWindowSnapshot } from './rating-window.js';
import { addCounts, emptyTable } from './table-pools.js';
import type { GrowingTable } from './table-pools.js';
import { USER_BUCKETS } from './user-sums.js';
import { percent } from './words.js';

/** The state as plain data; `window` tells it from that of the other rates. */
export interface ResponseRateSnapshot {
  readonly kind: 'rate';
  readonly window: RatingWindowSnapshot;
  /** Requests by stage of the plan; events are those that were rated. */
  readonly totals: readonly GrowingTable[];
  readonly evidence: RatingEvidenceSnapshot;
}

const VARIANTS = ['stable', 'candidate'] as const satisfies readonly Variant[];

/**
 * The share of served requests that users rate, either way: where it differs, ratings of the two variants come from
 * different users. Counted once the horizon is over, as the ratings themselves. It never gates. Source: method §5.1.
 */
export class ResponseRateTracker implements GuardrailTracker {
  readonly guardrail: RateGuardrail;
  private readonly stages: readonly StagePlan[];
  private readonly window: RatingWindow;
  private readonly totals: readonly GrowingTable[];
  private readonly evidence: RatingEvidence;

  constructor(guardrail: RateGuardrail, stages: readonly StagePlan[], from?: ResponseRateSnapshot) {
    this.guardrail = guardrail;
    this.stages = stages;
    this.window = new RatingWindow(stages, 'ratings and requests', from?.window);
    this.totals = stages.map((_, index) => ({ ...emptyTable(), ...from?.totals[index] }));
    this.evidence = new RatingEvidence({ ...guardrail, promote: null }, stages, from?.evidence);
  }

  absorb(batch: IntervalBatch): void {
    for (const interval of this.window.take(batch)) this.use(interval);
  }

  logBreach(): number {
    return this.evidence.logBreach();
  }

  gates(): boolean {
    return false;
  }

  read(stageIndex: number): GuardrailEvidence {
    const totals = this.totals[stageIndex] ?? emptyTable();
    const stable = shareOf(totals.stableEvents, totals.stableTrials);
    const candidate = shareOf(totals.candidateEvents, totals.candidateTrials);
    const stage = this.stages[stageIndex];
    return {
      seen: `rated answers ${shown(candidate)} against ${shown(stable)}`,
      logE: { breach: this.logBreach(), safe: null },
      stable,
      candidate,
      ratio: stable && candidate !== null ? candidate / stable : null,
      interval: this.evidence.interval(stageIndex),
      n: { stable: totals.stableTrials, candidate: totals.candidateTrials },
      waits: stage ? onlyShownRatings(stage) : null,
      remaining: null,
    };
  }

  snapshot(): ResponseRateSnapshot {
    return {
      kind: 'rate',
      window: this.window.snapshot(),
      totals: this.totals.map((table) => ({ ...table })),
      evidence: this.evidence.snapshot(),
    };
  }

  private use({ stageIndex, generation, stratum, warmup, variants }: RatedInterval): void {
    const stage = this.stages[stageIndex];
    if (!stage || onlyShownRatings(stage) !== null) return;
    for (const variant of VARIANTS) {
      const counts = countsOf(variants[variant]);
      this.evidence.add({ stageIndex, generation, stratum, warmup }, variant, counts, true);
      const totals = this.totals[stageIndex];
      if (totals) addCounts(totals, variant, counts.trials, counts.events);
    }
    this.evidence.usePools();
  }
}

/**
 * Rated requests among those served. A request whose record was lost with its process may have been rated all the same,
 * and one without a user has a bucket by chance: a bucket never has more rated requests than requests, and what it has
 * too many of goes into the next that has room.
 */
function countsOf(variant: RatedVariant): VariantCounts {
  const { served, servedByBucket, ratings } = variant;
  const known = Object.values(servedByBucket).reduce((sum, requests) => sum + requests, 0);
  if (known !== served) return { trials: served, events: Math.min(served, ratingsOf(variant)), users: undefined };
  const events: Record<string, number> = {};
  let rated = 0;
  let over = 0;
  for (let step = 0; step < 2 * USER_BUCKETS; step++) {
    const bucket = step % USER_BUCKETS;
    const here = events[bucket] ?? 0;
    const wanted = over + (step < USER_BUCKETS ? ratingsIn(ratings[bucket]) : 0);
    const taken = Math.min(wanted, (servedByBucket[bucket] ?? 0) - here);
    over = wanted - taken;
    if (taken > 0) events[bucket] = here + taken;
    rated += taken;
  }
  return { trials: served, events: rated, users: { trials: servedByBucket, events } };
}

function shareOf(events: number, trials: number): number | null {
  return trials === 0 ? null : events / trials;
}

function shown(share: number | null): string {
  return share === null ? 'unknown' : percent(share);
}

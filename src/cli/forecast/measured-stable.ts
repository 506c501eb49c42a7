/** What evidence says of the stable model: the baselines of the next forecast. */
import { intervalEnd } from '../../evidence/record.js';
import type { EvidenceRecord, RatingRecord } from '../../evidence/record.js';
import type { Baseline, Baselines } from '../../plan/forecast/baseline.js';
import type { Guardrail, GuardrailName, HistogramSpec, Plan } from '../../plan/types.js';
import { CUTS, SHOWN_CUT } from '../../statistics/assessment/rated-interval.js';
import { rateSource } from '../../statistics/assessment/rate-source.js';
import { bucketIndex, bucketUpperEdge, histogramEntries } from '../../statistics/histogram.js';

/** Fewer values or trials than this say nothing: the default stays, and says that it is one. */
const LEAST_TRIALS = 200;

/** A score of 1 or 2 is a bad rating, as people are shown it. */
const WORST_SCORES = CUTS[SHOWN_CUT];

interface Tally {
  trials: number;
  events: number;
  readonly counts: Record<string, number>;
}

/** Sums stable's records, whatever rollout and stage they are of. */
export class MeasuredStable {
  readonly #plan: Pick<Plan, 'guardrails'>;
  readonly #tallies = new Map<GuardrailName, Tally>();
  /** When records of a generation began and ended, ms. */
  readonly #spans = new Map<number, { from: number; to: number }>();
  readonly #ratings: Tally = { trials: 0, events: 0, counts: {} };
  #requests = 0;
  #served = 0;

  /** @param plan whose guardrails are to be forecast */
  constructor(plan: Pick<Plan, 'guardrails'>) {
    this.#plan = plan;
  }

  /** @param isServed somebody waited for the requests of this record: they count towards the traffic of the route */
  add(record: EvidenceRecord, isServed: boolean): void {
    const end = intervalEnd(record);
    const span = this.#spans.get(record.generation) ?? { from: record.intervalStart, to: end };
    this.#spans.set(record.generation, {
      from: Math.min(span.from, record.intervalStart),
      to: Math.max(span.to, end),
    });
    if (isServed) this.#served += record.started;
    if (record.variant !== 'stable') return;
    this.#requests += record.error.trials;
    for (const guardrail of this.#plan.guardrails) this.#count(guardrail, record);
  }

  /** A rating counts for a request that was added, or will be. */
  addRating({ variant, rating }: Pick<RatingRecord, 'variant' | 'rating'>): void {
    if (variant !== 'stable') return;
    this.#ratings.trials++;
    if (rating.kind === 'thumb' ? !rating.up : rating.score <= WORST_SCORES) this.#ratings.events++;
  }

  /** Requests a second that somebody waited for, over the time of the evidence; null without any. */
  get requestsPerSecond(): number | null {
    const ms = [...this.#spans.values()].reduce((sum, { from, to }) => sum + to - from, 0);
    return this.#served === 0 || ms === 0 ? null : (1000 * this.#served) / ms;
  }

  /** Those of which at least 200 requests of stable were seen. */
  baselines(): Baselines {
    const baselines: Partial<Record<GuardrailName, Baseline>> = {};
    for (const guardrail of this.#plan.guardrails) {
      const baseline = this.#baselineOf(guardrail);
      if (baseline !== null) baselines[guardrail.name] = baseline;
    }
    return baselines;
  }

  #baselineOf(guardrail: Guardrail): Baseline | null {
    if (guardrail.name === 'response_rate') return this.#responseRate();
    const tally = guardrail.kind === 'feedback' ? this.#ratings : this.#tallies.get(guardrail.name);
    if (tally === undefined || tally.trials < LEAST_TRIALS) return null;
    const share = Math.min(1, tally.trials / this.#requests);
    switch (guardrail.kind) {
      case 'rate':
      case 'feedback':
        return { kind: 'rate', rate: tally.events / tally.trials, share, origin: 'measured' };
      case 'quantile':
      case 'cuts':
        return {
          kind: 'values',
          spread: { kind: 'histogram', histogram: { ...guardrail.histogram, counts: tally.counts } },
          share,
          origin: 'measured',
        };
      case 'sample-ratio':
        return null;
    }
  }

  /** Null without any rating: then none are given, or none were asked for. */
  #responseRate(): Baseline | null {
    const { trials } = this.#ratings;
    if (trials === 0 || this.#requests < LEAST_TRIALS) return null;
    return { kind: 'rate', rate: Math.min(1, trials / this.#requests), share: 1, origin: 'measured' };
  }

  #count(guardrail: Guardrail, record: EvidenceRecord): void {
    switch (guardrail.kind) {
      case 'feedback':
        return;
      case 'rate': {
        const rate = rateSource(guardrail.name)?.read(record) ?? null;
        if (rate === null) return;
        const tally = this.#tally(guardrail.name);
        tally.trials += rate.trials;
        tally.events += rate.events;
        return;
      }
      case 'quantile':
      case 'cuts': {
        const histogram = record.histograms[guardrail.name];
        if (histogram === undefined) return;
        const tally = this.#tally(guardrail.name);
        for (const [index, count] of histogramEntries(histogram.counts)) {
          const bucket = inLayout(index, histogram, guardrail.histogram);
          tally.counts[bucket] = (tally.counts[bucket] ?? 0) + count;
          tally.trials += count;
        }
        return;
      }
      case 'sample-ratio':
    }
  }

  #tally(name: GuardrailName): Tally {
    const known = this.#tallies.get(name);
    if (known !== undefined) return known;
    const tally: Tally = { trials: 0, events: 0, counts: {} };
    this.#tallies.set(name, tally);
    return tally;
  }
}

/** The bucket of one layout in another: that of its middle. */
function inLayout(index: number, from: HistogramSpec, to: HistogramSpec): number {
  if (from.gamma === to.gamma && from.xMin === to.xMin) return index;
  const middle = bucketUpperEdge(index, { gamma: from.gamma, smallest: from.xMin }) / Math.sqrt(from.gamma);
  return bucketIndex(middle, { gamma: to.gamma, smallest: to.xMin });
}

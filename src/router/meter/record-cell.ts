import type {
  Assigned,
  ErrorClass,
  EvidenceKey,
  EvidenceRecord,
  Histogram,
  Rate,
  UserBuckets,
} from '../../evidence/record.js';
import type { Outcome } from '../proxy/outcome.js';
import { LogHistogram } from './log-histogram.js';
import type { SharedHistogram } from './measures.js';
import type { Signal } from './signals.js';
import { UserBucketCounts } from './user-bucket-counts.js';

/** Above this share of dropped mirrors the interval is incomplete. */
const DROPPED_SHARE_LIMIT = 0.05;

/** Why a mirrored request was not compared. */
export type DropReason = 'concurrency' | 'token-budget' | 'closing';

/** Decided before anything was sent: the pair is missing as a whole, whatever its outcome would have been. */
const BEFORE_OUTCOME = new Set<DropReason>(['concurrency', 'token-budget']);

interface Tally {
  trials: number;
  events: number;
}

/**
 * The counts of one (interval, generation, stage, stratum, variant), in memory that traffic does not grow. They add up:
 * started = completed + aborted + late; error trials = Σ of any latency histogram = completed + aborted;
 * error events = Σ errorsByClass.
 */
export class RecordCell {
  readonly #shared: readonly SharedHistogram[];
  readonly #histograms: readonly LogHistogram[];
  readonly #buckets = new Map<string, UserBucketCounts>();
  readonly #errorsByClass = new Map<ErrorClass, number>();
  readonly #dropped = new Map<DropReason, number>();
  readonly #error: Tally = { trials: 0, events: 0 };
  readonly #cacheMiss: Tally = { trials: 0, events: 0 };
  readonly #refusal: Tally = { trials: 0, events: 0 };
  readonly #tokens = { prompt: 0, cached: 0, completion: 0, responses: 0 };
  readonly #assigned: bigint[] = [];
  #assignedAlone = 0;
  #started = 0;
  #completed = 0;
  #aborted = 0;

  constructor(shared: readonly SharedHistogram[]) {
    this.#shared = shared;
    this.#histograms = shared.map(({ spec }) => new LogHistogram(spec));
  }

  start(): void {
    this.#started += 1;
  }

  /** A unit that is new here to its generation's sketch. */
  assign(sampleHash: bigint): void {
    this.#assigned.push(sampleHash);
  }

  /** A request without a unit. */
  assignAlone(): void {
    this.#assignedAlone += 1;
  }

  /** A mirrored request that is not compared; `started`: it had been counted as a start. */
  drop(reason: DropReason, started: boolean): void {
    if (started) this.#started -= 1;
    this.#dropped.set(reason, (this.#dropped.get(reason) ?? 0) + 1);
  }

  /** `bucket`: 0…63 of its unit; `warm`: its unit has completed a request on this variant in this generation. */
  finish(outcome: Outcome, bucket: number, warm: boolean): void {
    if (outcome.end === 'aborted') this.#aborted += 1;
    else this.#completed += 1;
    if (outcome.errorClass !== null) {
      this.#errorsByClass.set(outcome.errorClass, (this.#errorsByClass.get(outcome.errorClass) ?? 0) + 1);
    }
    this.#rate('error_rate', this.#error, bucket, outcome.errorClass !== null);
    this.#bucket('abort_rate').add(bucket, outcome.end === 'aborted');
    this.#value('latency', outcome.latencyMs, bucket);
    if (outcome.ttftMs !== null) this.#value('ttft', outcome.ttftMs, bucket);
    if (outcome.facts === null) return;
    if (outcome.facts.refused !== null) this.#rate('refusal_rate', this.#refusal, bucket, outcome.facts.refused);
    const { usage } = outcome.facts;
    if (usage === null || outcome.end !== 'complete') return;
    this.#tokens.responses += 1;
    this.#tokens.prompt += usage.promptTokens;
    this.#tokens.cached += usage.cachedTokens ?? 0;
    this.#tokens.completion += usage.completionTokens;
    this.#value('tokens', usage.completionTokens, bucket);
    if (warm && usage.cachedTokens !== null && usage.promptTokens > 0) {
      this.#rate('cache_hit_rate', this.#cacheMiss, bucket, usage.cachedTokens < usage.promptTokens / 2);
    }
  }

  /** The record of a closed interval; `incomplete` for reasons of the interval as a whole. */
  toRecord(key: EvidenceKey, interval: { readonly intervalMs: number; readonly warmup: boolean }): EvidenceRecord {
    const finished = this.#completed + this.#aborted;
    const histograms: Record<string, Histogram> = {};
    for (const [index, { guardrails }] of this.#shared.entries()) {
      const histogram = this.#histograms[index]?.toHistogram();
      if (histogram === undefined) continue;
      for (const { name } of guardrails) histograms[name] = histogram;
    }
    const buckets: Record<string, UserBuckets> = {};
    for (const [name, counts] of this.#buckets) buckets[name] = counts.toUserBuckets();
    return {
      ...key,
      revision: 1,
      intervalMs: interval.intervalMs,
      warmup: interval.warmup,
      started: this.#started,
      completed: this.#completed,
      aborted: this.#aborted,
      late: this.#started - finished,
      dropped: Object.fromEntries(this.#dropped),
      incomplete: this.incomplete,
      error: rate(this.#error),
      errorsByClass: Object.fromEntries(this.#errorsByClass),
      ...(this.#cacheMiss.trials > 0 && { cacheMiss: rate(this.#cacheMiss) }),
      ...(this.#refusal.trials > 0 && { refusal: rate(this.#refusal) }),
      histograms,
      tokens: { ...this.#tokens },
      buckets,
      ...((this.#assigned.length > 0 || this.#assignedAlone > 0) && { assigned: this.#toAssigned() }),
    };
  }

  #toAssigned(): Assigned {
    const units = this.#assigned.map((hash) => hash.toString(16).padStart(16, '0'));
    return { units: units.toSorted(), alone: this.#assignedAlone };
  }

  /** More than 5% of the pairs lost their mirrored half after the choice. */
  get incomplete(): boolean {
    let lost = 0;
    for (const [reason, count] of this.#dropped) {
      if (!BEFORE_OUTCOME.has(reason)) lost += count;
    }
    return lost > DROPPED_SHARE_LIMIT * (this.#started + lost);
  }

  #rate(guardrail: string, tally: Tally, bucket: number, event: boolean): void {
    tally.trials += 1;
    if (event) tally.events += 1;
    this.#bucket(guardrail).add(bucket, event);
  }

  #value(signal: Signal, value: number, bucket: number): void {
    for (const [index, shared] of this.#shared.entries()) {
      if (shared.signal !== signal) continue;
      const at = this.#histograms[index]?.add(value) ?? 0;
      for (const { name, thresholdIndex } of shared.guardrails) {
        if (thresholdIndex !== null) this.#bucket(name).add(bucket, at > thresholdIndex);
      }
    }
  }

  #bucket(guardrail: string): UserBucketCounts {
    const existing = this.#buckets.get(guardrail);
    if (existing !== undefined) return existing;
    const created = new UserBucketCounts();
    this.#buckets.set(guardrail, created);
    return created;
  }
}

function rate(tally: Tally): Rate {
  return { trials: tally.trials, events: tally.events };
}

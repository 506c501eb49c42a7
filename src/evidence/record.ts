/**
 * Evidence: mergeable records of sufficient statistics, one per
 * (rollout, generation, stage, intervalStart, stratum, variant, replica, process).
 * Within a key the higher `revision` replaces; across keys one adds. Every field covers that interval alone.
 */
import type { RolloutId, StageName } from '../plan/ids.js';
import type { Variant } from '../plan/types.js';

/** Bad events among trials. */
export interface Rate {
  readonly trials: number;
  readonly events: number;
}

/** Why a request counts as an error; `analyze` reads the same words, with `aborted` beside them, which is no error. */
export type ErrorClass = 'model' | 'refused' | 'timeout' | 'rate-limit' | 'connect' | 'broken';

/** Sparse log histogram; keys of `counts` are bucket indices. */
export interface Histogram {
  readonly gamma: number;
  readonly xMin: number;
  readonly counts: Readonly<Record<string, number>>;
}

/** Trials and events per user bucket (64), sparse, for the design effect of sticky users. */
export interface UserBuckets {
  readonly trials: Readonly<Record<string, number>>;
  readonly events: Readonly<Record<string, number>>;
}

/**
 * Who was assigned to the record's variant in this interval, for the sample ratio: what its process had not reported of the
 * generation before. Mirrored copies and requests that follow a server-side id were not assigned and are not in it.
 */
export interface Assigned {
  /**
   * Keyed hashes (16 hex digits) of units that entered the process's sketch on this variant: of the generation's distinct
   * units the 4,096 smallest hashes, each reported once per variant. The key is the rollout's salt.
   */
  readonly units: readonly string[];
  /** Requests without a unit: each stands for itself. */
  readonly alone: number;
}

/** Stratum of requests that were sent to both variants; only these are compared in a mirrored stage. */
export const PAIRED = 'paired';
/** Stratum of requests served by one variant alone. */
export const SERVED = 'served';

export interface EvidenceKey {
  readonly rollout: RolloutId;
  readonly generation: number;
  readonly stage: StageName;
  /** Start of the interval, Unix ms, a multiple of `intervalMs`. */
  readonly intervalStart: number;
  readonly stratum: string;
  readonly variant: Variant;
  readonly replica: string;
  readonly process: string;
}

export interface EvidenceRecord extends EvidenceKey {
  readonly revision: number;
  readonly intervalMs: number;
  /** The interval began within `warmupMs` after the generation was written: not used for latency, tokens and cache. */
  readonly warmup: boolean;
  readonly started: number;
  readonly completed: number;
  /** Ended by the client: trials without event. */
  readonly aborted: number;
  /** Finished after the interval had been closed; never part of the counts below. */
  readonly late: number;
  /** Mirrored requests dropped after the choice, with the reason. */
  readonly dropped: Readonly<Record<string, number>>;
  /** The record does not hold everything that happened (spool overflow, dropped mirrors above 5%). */
  readonly incomplete: boolean;
  readonly error: Rate;
  readonly errorsByClass: Readonly<Partial<Record<ErrorClass, number>>>;
  /** Misses among eligible requests; absent = not measured. */
  readonly cacheMiss?: Rate;
  readonly refusal?: Rate;
  /** By guardrail name; `latency_*` of every request that was not refused by the router, timeouts at their limit. */
  readonly histograms: Readonly<Record<string, Histogram>>;
  readonly tokens: {
    readonly prompt: number;
    readonly cached: number;
    readonly completion: number;
    readonly responses: number;
  };
  /** By guardrail name (`error_rate`, `latency_p95`, …). */
  readonly buckets: Readonly<Record<string, UserBuckets>>;
  /** Absent = nobody new. */
  readonly assigned?: Assigned;
}

/** A rating, inserted once: the nonce of its request id is unique. Filed under the request that earned it. */
export interface RatingRecord {
  readonly nonce: string;
  readonly rollout: RolloutId;
  readonly generation: number;
  readonly stratum: string;
  readonly variant: Variant;
  /** 0..63, of the user; null when the request had no unit. */
  readonly userBucket: number | null;
  readonly requestStartedAt: number;
  readonly ratedAt: number;
  readonly rating:
    | { readonly kind: 'thumb'; readonly up: boolean }
    | { readonly kind: 'score'; readonly score: number };
}

/** A rating as the ledger has it. */
export interface StoredRating extends RatingRecord {
  /**
   * The rollout's frontier when the rating was committed, Unix ms: it is known to every assessment of a later interval end
   * and to none of an earlier one, so that any worker uses it at the same place.
   */
  readonly knownAfter: number;
}

/** What started in the last 60 s on one variant, the open interval included: for the hard stop, never for an e-value. */
export interface RecentStarts {
  readonly started: number;
  /** Finished in an error (429s and aborts are none), or in flight for longer than max(5 s, 5 × stable's p99). */
  readonly failed: number;
}

/** One answer of `GET /admin/v1/routes/{route}/evidence`. */
export interface EvidencePage {
  readonly replica: string;
  readonly process: string;
  /** The router's wall clock, Unix ms. */
  readonly now: number;
  /** Every interval that ended at or before this time is closed in this process and, over the pages, was delivered. */
  readonly closedThrough: number;
  readonly open: {
    /** Generation in force, so that a member with another one is seen and mended. */
    readonly generation: number;
    readonly rollout: RolloutId | null;
    readonly inForce: boolean;
    readonly leaseExpiresAt: number | null;
    readonly recent: Readonly<Record<Variant, RecentStarts>>;
    /** Mirrored since the generation began: chosen and answered. */
    readonly mirror: { readonly chosen: number; readonly dropped: number; readonly answered: number };
  };
  readonly records: readonly EvidenceRecord[];
  readonly ratings: readonly RatingRecord[];
  /** Opaque; names its process. Acknowledge it after the ledger's commit. */
  readonly cursor: string;
  /** More is waiting behind this cursor. */
  readonly more: boolean;
}

/** End of the record's interval, Unix ms. Intervals are used in order of (end, generation, start). */
export function intervalEnd(record: { readonly intervalStart: number; readonly intervalMs: number }): number {
  return record.intervalStart + record.intervalMs;
}

/** The ledger's port: what the pipeline writes and reads. Any worker can rebuild every verdict from it. */
import type { Look } from '../evidence/look.js';
import type { EvidenceRecord, Histogram, RatingRecord, StoredRating } from '../evidence/record.js';
import type { RolloutId, RouteName, UpstreamName } from '../plan/ids.js';
import type { Split } from '../plan/split.js';
import type { Decision, RolloutStatus } from '../plan/status.js';
import type { Plan } from '../plan/types.js';

export interface RolloutRow {
  readonly rollout: RolloutId;
  readonly route: RouteName;
  readonly plan: Plan;
  readonly salt: string;
  /** Histograms of stable before the rollout, by guardrail name: they seed the latency thresholds. */
  readonly seeds: Readonly<Record<string, Histogram>>;
  readonly startedAt: number;
}

/** What a route rests on when no rollout runs; overrides `sluice.yaml` until that names the same upstream. */
export interface RouteRow {
  readonly route: RouteName;
  readonly stable: UpstreamName;
  /** The resting split itself, which every worker holds the fleet to. */
  readonly split: Split;
  readonly updatedAt: number;
}

export interface EvidenceBatch {
  readonly rollout: RolloutId;
  readonly records: readonly EvidenceRecord[];
  readonly ratings: readonly RatingRecord[];
  /** New frontier: every interval ended at or before it is closed on the whole fleet. It never moves back. */
  readonly closedThrough: number;
}

export interface Ledger {
  /** Inserts the row, or returns the one that is there: starting twice is starting once. */
  openRollout(row: RolloutRow): Promise<RolloutRow>;
  rollout(id: RolloutId): Promise<RolloutRow | null>;
  /** Newest first. */
  rollouts(route: RouteName | null, limit: number): Promise<readonly RolloutRow[]>;

  /**
   * One transaction. A record sent twice counts once; a higher revision of its key replaces; a record whose interval ended
   * at or before the frontier is kept as late and never used. A rating's nonce is unique, the first wins; it is known
   * after the frontier as it was before this commit.
   */
  commitEvidence(
    batch: EvidenceBatch,
  ): Promise<{ readonly inserted: number; readonly late: number; readonly closedThrough: number }>;
  /** The frontier; 0 before the first commit. */
  closedThrough(rollout: RolloutId): Promise<number>;
  /**
   * Records in use with `after` < interval end ≤ `through`, in order of (interval end, generation, interval start,
   * stratum, variant, replica, process), in batches that never split an interval end.
   */
  evidence(rollout: RolloutId, after: number, through: number): AsyncIterable<readonly EvidenceRecord[]>;
  /**
   * Ratings with `after` ≤ `knownAfter` < `through`, in order of (knownAfter, start, nonce): those that assessments come
   * to know between the interval ends `after` and `through`. Once the frontier is at `through` nothing is added to them.
   * All of a range are in memory at once: ask range by range.
   */
  ratings(rollout: RolloutId, after: number, through: number): Promise<readonly StoredRating[]>;

  /** Idempotent by look id. */
  recordLook(look: Look): Promise<void>;
  look(id: string): Promise<Look | null>;
  looks(rollout: RolloutId): Promise<readonly Look[]>;

  /** Idempotent by (rollout, sequence). */
  recordDecision(rollout: RolloutId, sequence: number, decision: Decision): Promise<void>;
  decisions(rollout: RolloutId): Promise<readonly Decision[]>;
  saveStatus(status: RolloutStatus): Promise<void>;
  /** Last saved state of the route's newest rollout. */
  lastStatus(route: RouteName): Promise<RolloutStatus | null>;
  lastStatuses(): Promise<readonly RolloutStatus[]>;

  routeRow(route: RouteName): Promise<RouteRow | null>;
  routeRows(): Promise<readonly RouteRow[]>;
  /** Keeps the row with the higher generation. */
  putRouteRow(row: RouteRow): Promise<void>;

  /** Deletes evidence, looks and decisions of rollouts that ended before `before` (Unix ms). */
  expire(before: number): Promise<{ readonly rollouts: number }>;
  /** Throws `SluiceError` `ledger-unavailable` when the database does not answer; used by the lease rule and by `doctor`. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

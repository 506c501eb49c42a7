/** The port between the pipeline and whatever carries the traffic; sluice's own router is the first. */
import type { EvidencePage } from '../evidence/record.js';
import type { RolloutId, RouteName } from '../plan/ids.js';
import type { Split } from '../plan/split.js';

/** One router of the fleet, by the address of its admin API. */
export interface Member {
  readonly address: string;
  readonly tokenEnv: string;
}

/** Answer of `GET /admin/v1/routes/{route}/split`. */
export interface RouteView {
  readonly route: RouteName;
  readonly replica: string;
  readonly process: string;
  /** The router's wall clock, Unix ms. */
  readonly now: number;
  readonly split: Split;
  /** False when its lease ran out: the router serves stable (or keeps, as the lease says) and files nothing. */
  readonly inForce: boolean;
  readonly leaseExpiresAt: number | null;
  /** Names of the upstreams it knows: a candidate missing here is refused before anything is written. */
  readonly upstreams: readonly string[];
  readonly recent: RecentStable;
}

/** What stable did before a rollout, by the router's own meter. */
export interface RecentStable {
  /** Up to 4,096 last values each, newest last: they seed the thresholds. */
  readonly latencyMs: readonly number[];
  readonly ttftMs: readonly number[];
  readonly completionTokens: readonly number[];
  /** Since the process began: what cannot be measured on this route. null = a router that does not tell. */
  readonly answered: {
    readonly complete: number;
    /** Requests that brought a first token. */
    readonly streams: number;
    /** Complete answers that said how much of their prompt was cached. */
    readonly withCachedTokens: number;
  } | null;
}

export type WriteOutcome =
  | { readonly kind: 'confirmed'; readonly view: RouteView }
  /** 409: the member has this generation or a higher one with another body. */
  | { readonly kind: 'stale'; readonly current: RouteView }
  /** 409 `owned`: another rollout's split is in force. */
  | { readonly kind: 'owned'; readonly current: RouteView };

export interface WriteOptions {
  /** Overrides `owned`; logged by the router with the reason. */
  readonly takeOver?: { readonly reason: string };
}

/**
 * Calls throw `BackendError` (code, address, cause) when the member cannot be reached or answers nonsense;
 * every call takes the abort signal of its activity.
 */
export interface TrafficBackend {
  /** Members now known, joined with `remembered` addresses of this rollout. */
  members(remembered: readonly Member[], signal: AbortSignal): Promise<readonly Member[]>;
  readSplit(member: Member, route: RouteName, signal: AbortSignal): Promise<RouteView>;
  writeSplit(
    member: Member,
    route: RouteName,
    split: Split,
    options: WriteOptions,
    signal: AbortSignal,
  ): Promise<WriteOutcome>;
  /** True when renewed; false on 409 (not current, or expired). */
  renewLease(
    member: Member,
    route: RouteName,
    rollout: RolloutId,
    generation: number,
    signal: AbortSignal,
  ): Promise<boolean>;
  readEvidence(
    member: Member,
    route: RouteName,
    rollout: RolloutId,
    cursor: string | null,
    signal: AbortSignal,
  ): Promise<EvidencePage>;
  acknowledge(member: Member, route: RouteName, cursor: string, signal: AbortSignal): Promise<void>;
}

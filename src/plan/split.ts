/** The split: what a router obeys. The wire shape of the admin API. */
import type { RolloutId, StageName, UpstreamName } from './ids.js';
import type { Variant } from './types.js';

/** How a histogram is cut; `thresholdIndex` is the stage's fixed bucket for per-user counts, null until stable is known. */
export interface HistogramMetering {
  readonly gamma: number;
  readonly xMin: number;
  readonly thresholdIndex: number | null;
}

/** What the router measures while a split is in force. All times in ms. */
export interface Metering {
  readonly intervalMs: number;
  readonly warmupMs: number;
  readonly requestTimeoutMs: number;
  readonly feedbackHorizonMs: number;
  /** By guardrail name: `latency_p50`, `latency_p95`, `ttft_p50`, … */
  readonly histograms: Readonly<Record<string, HistogramMetering>>;
  readonly strata: readonly string[];
}

export interface Lease {
  readonly seconds: number;
  readonly onExpiry: 'stable' | 'keep';
}

/**
 * Share of units per variant, plus the share mirrored, plus what to measure. Without lease it is a resting split:
 * `weights.stable` 1 and `upstreams.candidate` null.
 */
export interface Split {
  /** Fencing token: grows with each split written to a route; 0 = nothing was ever written. */
  readonly generation: number;
  readonly rollout: RolloutId | null;
  readonly stage: StageName | null;
  readonly weights: Readonly<Record<Variant, number>>;
  readonly upstreams: { readonly stable: UpstreamName; readonly candidate: UpstreamName | null };
  readonly mirror: { readonly variant: Variant; readonly share: number };
  readonly salt: string;
  readonly lease: Lease | null;
  readonly metering: Metering;
}

/** A resting split belongs to nobody: another rollout may replace it. */
export function isResting(split: Split): boolean {
  return split.lease === null;
}

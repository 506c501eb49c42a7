import type { Split } from '../../plan/split.js';
import type { GenerationMeter } from '../meter/generation-meter.js';
import type { Upstream } from '../proxy/upstream.js';

/** When a lease runs out, by both clocks: the monotonic one decides, the other outlives the process. */
export interface LeaseTerm {
  readonly deadlineMonotonicMs: number;
  readonly deadlineWallMs: number;
}

/** A split as the router obeys it. Immutable: a request keeps the one it started with. */
export interface ActiveSplit {
  readonly split: Split;
  readonly stable: Upstream;
  readonly candidate: Upstream | null;
  /** When this router took it, Unix ms. */
  readonly activatedAtMs: number;
  /** null = a resting split. */
  readonly lease: LeaseTerm | null;
  /** null = resting, or its lease had run out before this process began: nothing is filed. */
  readonly meter: GenerationMeter | null;
}

/** False once the lease has run out, for good: an expired split is never renewed. */
export function inForce(active: ActiveSplit, monotonicMs: number): boolean {
  return active.lease === null || monotonicMs < active.lease.deadlineMonotonicMs;
}

/** The splits of all routes: one immutable map, replaced as a whole, so that no request sees half of a change. */
export class SplitTable {
  #current: ReadonlyMap<string, ActiveSplit> = new Map();

  get current(): ReadonlyMap<string, ActiveSplit> {
    return this.#current;
  }

  replace(route: string, active: ActiveSplit): void {
    this.#current = new Map(this.#current).set(route, active);
  }
}

import type { RecentStarts } from '../../evidence/record.js';
import type { Variant } from '../../plan/types.js';

const WINDOW_SECONDS = 60;

/** Which starts a count is of; `paired` are the requests that both variants got. */
export interface StartKind {
  readonly variant: Variant;
  readonly paired: boolean;
}

interface Slot {
  second: number;
  readonly started: Uint32Array;
  readonly failed: Uint32Array;
  readonly inFlight: Uint32Array;
}

/**
 * Starts of the last 60 s and what became of them, by second: for the hard stop. A request is filed under the second in
 * which it started, so that fast failures do not come before the slow answers of the same time.
 */
export class RecentStartsWindow {
  readonly #slots: readonly Slot[] = Array.from({ length: WINDOW_SECONDS + 1 }, () => ({
    second: -1,
    started: new Uint32Array(4),
    failed: new Uint32Array(4),
    inFlight: new Uint32Array(4),
  }));

  /** `startedAtMs` is monotonic here and below. */
  start(kind: StartKind, startedAtMs: number): void {
    const slot = this.#slotOf(Math.floor(startedAtMs / 1000), true);
    if (slot === null) return;
    increment(slot.started, kind, 1);
    increment(slot.inFlight, kind, 1);
  }

  /** `failed`: in an error that the hard stop counts. */
  finish(kind: StartKind, startedAtMs: number, failed: boolean): void {
    const slot = this.#slotOf(Math.floor(startedAtMs / 1000), false);
    if (slot === null) return;
    increment(slot.inFlight, kind, -1);
    if (failed) increment(slot.failed, kind, 1);
  }

  /** Over the kinds given; in flight for longer than `overdueMs` counts as failed. */
  read(kinds: readonly StartKind[], nowMs: number, overdueMs: number): RecentStarts {
    let started = 0;
    let failed = 0;
    for (const slot of this.#slots) {
      if (slot.second < 0 || (slot.second + WINDOW_SECONDS) * 1000 <= nowMs - 1000) continue;
      // By the end of its second: none is called overdue before it is.
      const overdue = nowMs - (slot.second + 1) * 1000 >= overdueMs;
      for (const kind of kinds) {
        const index = indexOf(kind);
        started += slot.started[index] ?? 0;
        failed += (slot.failed[index] ?? 0) + (overdue ? (slot.inFlight[index] ?? 0) : 0);
      }
    }
    return { started, failed };
  }

  #slotOf(second: number, mayBegin: boolean): Slot | null {
    const slot = this.#slots[second % this.#slots.length];
    if (slot === undefined) return null;
    if (slot.second === second) return slot;
    if (!mayBegin) return null;
    slot.second = second;
    slot.started.fill(0);
    slot.failed.fill(0);
    slot.inFlight.fill(0);
    return slot;
  }
}

function indexOf(kind: StartKind): number {
  return (kind.variant === 'stable' ? 0 : 2) + (kind.paired ? 1 : 0);
}

function increment(counts: Uint32Array, kind: StartKind, by: number): void {
  const index = indexOf(kind);
  counts[index] = (counts[index] ?? 0) + by;
}

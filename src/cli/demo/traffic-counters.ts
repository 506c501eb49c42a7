/** What the sample traffic counted. */
import type { Variant } from '../../plan/types.js';

export interface TrafficCounters {
  /** Requests put on their way. */
  readonly sent: number;
  /** A 2xx and a whole answer. */
  readonly ok: number;
  readonly failed: number;
  /** Ended by the client on purpose. */
  readonly aborted: number;
  /** Not sent, since as many were in flight as are allowed. */
  readonly skipped: number;
  readonly inFlight: number;
  /** Answers by the variant that the router names. */
  readonly variants: Readonly<Record<Variant | 'unknown', number>>;
  /** Failures by status or code: `500`, `ECONNREFUSED`. */
  readonly failures: Readonly<Record<string, number>>;
  readonly ratings: { readonly sent: number; readonly accepted: number; readonly failed: number };
}

/** Counts as they grow; `read` takes a copy. */
export class TrafficTally {
  sent = 0;
  ok = 0;
  aborted = 0;
  skipped = 0;
  inFlight = 0;
  readonly variants = { stable: 0, candidate: 0, unknown: 0 };
  readonly ratings = { sent: 0, accepted: 0, failed: 0 };
  readonly #failures = new Map<string, number>();
  #failed = 0;

  fail(reason: string): void {
    this.#failed += 1;
    this.#failures.set(reason, (this.#failures.get(reason) ?? 0) + 1);
  }

  read(): TrafficCounters {
    const { sent, ok, aborted, skipped, inFlight, variants, ratings } = this;
    return {
      sent,
      ok,
      failed: this.#failed,
      aborted,
      skipped,
      inFlight,
      variants: { ...variants },
      failures: Object.fromEntries(this.#failures),
      ratings: { ...ratings },
    };
  }
}

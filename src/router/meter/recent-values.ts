import type { RouteView } from '../../backends/traffic-backend.js';

const KEPT = 4_096;

/** The last 4,096 values. */
class Ring {
  readonly #values = new Float64Array(KEPT);
  #added = 0;

  add(value: number): void {
    this.#values[this.#added % KEPT] = value;
    this.#added += 1;
  }

  /** Oldest first. */
  values(): number[] {
    if (this.#added <= KEPT) return [...this.#values.subarray(0, this.#added)];
    const start = this.#added % KEPT;
    return [...this.#values.subarray(start), ...this.#values.subarray(0, start)];
  }
}

/** A complete answer, as far as it seeds thresholds or shows what can be measured. */
export interface RecentAnswer {
  /** null = the upstream does not say. */
  readonly completionTokens: number | null;
  readonly cachedTokens: number | null;
}

/** What stable did last, rollout or not: it seeds the thresholds of the next one. */
export class RecentValues {
  readonly #latency = new Ring();
  readonly #ttft = new Ring();
  readonly #tokens = new Ring();
  readonly #answered = { complete: 0, streams: 0, withCachedTokens: 0 };

  /** @param answer null = it did not come to a complete answer */
  add(latencyMs: number, ttftMs: number | null, answer: RecentAnswer | null = null): void {
    this.#latency.add(latencyMs);
    if (ttftMs !== null) {
      this.#ttft.add(ttftMs);
      this.#answered.streams += 1;
    }
    if (answer === null) return;
    this.#answered.complete += 1;
    if (answer.completionTokens !== null) this.#tokens.add(answer.completionTokens);
    if (answer.cachedTokens !== null) this.#answered.withCachedTokens += 1;
  }

  view(): RouteView['recent'] {
    return {
      latencyMs: this.#latency.values().map(rounded),
      ttftMs: this.#ttft.values().map(rounded),
      completionTokens: this.#tokens.values(),
      answered: { ...this.#answered },
    };
  }

  /** The 99th percentile of latency, ms; null before the first value. */
  latencyP99Ms(): number | null {
    const values = this.#latency.values().toSorted((left, right) => left - right);
    return values[Math.ceil(values.length * 0.99) - 1] ?? null;
  }
}

/** Microseconds are enough, and a view of 8,192 values is shorter for it. */
function rounded(value: number): number {
  return Math.round(value * 1000) / 1000;
}

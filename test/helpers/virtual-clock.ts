import { setImmediate as turn } from 'node:timers/promises';

/**
 * A clock that moves only when somebody sleeps on it: hours pass in milliseconds, and what is scripted `at` a time happens
 * exactly then. Wall time and monotonic time are apart, so that a test can set a machine's wall clock wrong.
 */
export class VirtualClock {
  #elapsedMs = 0;
  readonly #startedAt: number;
  #script: { readonly atMs: number; readonly act: () => void | Promise<void> }[] = [];
  /** How wrong the wall clock of this machine is, ms. */
  wallOffsetMs = 0;

  constructor(startedAt: number = Date.parse('2026-11-24T09:00:00.000Z')) {
    this.#startedAt = startedAt;
  }

  /** True time, Unix ms: what a router with a right clock and Temporal say. */
  trueNow(): number {
    return this.#startedAt + this.#elapsedMs;
  }

  now(): number {
    return this.trueNow() + this.wallOffsetMs;
  }

  monotonicMs(): number {
    return this.#elapsedMs;
  }

  get elapsedMs(): number {
    return this.#elapsedMs;
  }

  /** Does `act` when the time `atMs` after the start is reached. */
  at(atMs: number, act: () => void | Promise<void>): void {
    this.#script = [...this.#script, { atMs, act }].toSorted((a, b) => a.atMs - b.atMs);
  }

  async sleep(ms: number, signal?: AbortSignal): Promise<void> {
    const until = this.#elapsedMs + ms;
    for (let next = this.#script[0]; next !== undefined && next.atMs <= until; next = this.#script[0]) {
      this.#script = this.#script.slice(1);
      this.#elapsedMs = Math.max(this.#elapsedMs, next.atMs);
      await next.act();
      signal?.throwIfAborted();
    }
    this.#elapsedMs = Math.max(this.#elapsedMs, until);
    await turn();
    signal?.throwIfAborted();
  }
}

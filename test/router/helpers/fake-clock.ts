import type { Clock } from '../../../src/router/clock.js';

/** 2026-09-21T14:13:20Z, a multiple of every interval the tests use. */
export const START_MS = 1_790_000_000_000;

/** A clock that stands until it is moved. */
export class FakeClock implements Clock {
  #wallMs = START_MS;
  #monotonicMs = 1_000_000;

  wallMs(): number {
    return this.#wallMs;
  }

  monotonicMs(): number {
    return this.#monotonicMs;
  }

  advance(ms: number): void {
    this.#wallMs += ms;
    this.#monotonicMs += ms;
  }

  /** The system's clock was set: what a process that starts now would see. */
  stepWall(ms: number): void {
    this.#wallMs += ms;
  }
}

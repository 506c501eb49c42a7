import type { Clock } from './clock.js';
import type { DropReason } from './meter/record-cell.js';

const HOUR_MS = 3_600_000;

export interface MirrorLimits {
  /** Mirrored requests under way at once. */
  readonly concurrency: number;
  /** Prompt and completion tokens that mirrored requests may cost in an hour; null = no limit. */
  readonly tokensPerHour: number | null;
}

/** What mirroring may cost. Asked before anything is sent, so that a refusal never depends on an outcome. */
export class MirrorBudget {
  readonly #limits: MirrorLimits;
  readonly #clock: Clock;
  #underWay = 0;
  #hour = -1;
  #tokens = 0;

  constructor(limits: MirrorLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** null = taken; give it back with `release`. */
  take(): DropReason | null {
    if (this.#underWay >= this.#limits.concurrency) return 'concurrency';
    const { tokensPerHour } = this.#limits;
    if (tokensPerHour !== null && this.#tokensThisHour() >= tokensPerHour) return 'token-budget';
    this.#underWay += 1;
    return null;
  }

  release(tokens: number): void {
    this.#underWay -= 1;
    this.#tokens = this.#tokensThisHour() + tokens;
  }

  get underWay(): number {
    return this.#underWay;
  }

  #tokensThisHour(): number {
    const hour = Math.floor(this.#clock.monotonicMs() / HOUR_MS);
    if (hour !== this.#hour) {
      this.#hour = hour;
      this.#tokens = 0;
    }
    return this.#tokens;
  }
}

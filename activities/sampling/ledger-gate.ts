/** When may the ledger be tried again? It is asked less and less often while it is down, and nothing else waits for it. */
import type { Clock } from '../dependencies.js';
import { codeOf, reasonOf } from '../failure.js';

const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;

export class LedgerGate {
  readonly #clock: Clock;
  readonly #warn: (message: string) => void;
  #failures = 0;
  #openAt = 0;

  constructor(clock: Clock, warn: (message: string) => void) {
    this.#clock = clock;
    this.#warn = warn;
  }

  get open(): boolean {
    return this.#clock.monotonicMs() >= this.#openAt;
  }

  /** Until it opens, ms. */
  get waitMs(): number {
    return Math.max(0, this.#openAt - this.#clock.monotonicMs());
  }

  /**
   * What `work` gives, or null when the ledger did not answer.
   * @throws whatever has a code that waiting does not mend, such as `evidence-invalid`; the signal's reason
   */
  async through<Output>(work: () => Promise<Output>, signal: AbortSignal): Promise<{ readonly value: Output } | null> {
    try {
      const value = await work();
      this.#failures = 0;
      return { value };
    } catch (error) {
      signal.throwIfAborted();
      const code = codeOf(error);
      if (code !== null && code !== 'ledger-unavailable') throw error;
      const waitMs = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** this.#failures);
      this.#failures += 1;
      this.#openAt = this.#clock.monotonicMs() + waitMs;
      this.#warn(
        `the ledger does not answer: ${reasonOf(error)}; evidence waits on the routers, tried again in ${waitMs / 1_000} s`,
      );
      return null;
    }
  }
}

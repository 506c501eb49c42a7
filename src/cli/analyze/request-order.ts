import { lineError } from './request-line.js';
import type { RequestLine } from './request-line.js';
import { TimeHeap } from './time-heap.js';

/**
 * Puts requests in order of `at` that come at most `reorderMs` late: hands each on once nothing older can come any more.
 * Memory grows with the requests of that time.
 */
export class RequestOrder {
  readonly #reorderMs: number;
  readonly #use: (request: RequestLine) => void;
  readonly #waiting = new TimeHeap<RequestLine>();
  #newest = -Infinity;

  constructor(reorderMs: number, use: (request: RequestLine) => void) {
    this.#reorderMs = reorderMs;
    this.#use = use;
  }

  /** @throws SluiceError `evidence-invalid` naming the line when it is older than that */
  add(request: RequestLine, lineNumber: number): void {
    const { at } = request;
    if (at > this.#newest) this.#newest = at;
    const settled = this.#newest - this.#reorderMs;
    if (at < settled) {
      throw lineError(
        lineNumber,
        `at is ${new Date(at).toISOString()}, older than the ${this.#reorderMs} ms that lines may come late after ` +
          `${new Date(this.#newest).toISOString()}; sort the file by "at", or allow more with --reorder`,
      );
    }
    this.#waiting.add(at, request);
    this.#useThrough(settled);
  }

  /** Hands on what is left. */
  end(): void {
    this.#useThrough(Infinity);
  }

  #useThrough(ms: number): void {
    while (this.#waiting.earliest <= ms) {
      const request = this.#waiting.take();
      if (request === undefined) return;
      this.#use(request);
    }
  }
}

import type { Histogram } from '../../evidence/record.js';
import type { HistogramSpec } from '../../plan/types.js';
import { bucketIndex } from '../../statistics/histogram.js';

const FIRST_SIZE = 64;

/** A logarithmic histogram that is counted into: dense, since one interval's values lie close together. */
export class LogHistogram {
  readonly #spec: HistogramSpec;
  #counts = new Uint32Array(FIRST_SIZE);

  constructor(spec: HistogramSpec) {
    this.#spec = spec;
  }

  /** Returns the value's bucket. */
  add(value: number): number {
    const index = bucketIndex(value, { gamma: this.#spec.gamma, smallest: this.#spec.xMin });
    if (index >= this.#counts.length) {
      const larger = new Uint32Array(2 ** Math.ceil(Math.log2(index + 1)));
      larger.set(this.#counts);
      this.#counts = larger;
    }
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    return index;
  }

  toHistogram(): Histogram {
    return { gamma: this.#spec.gamma, xMin: this.#spec.xMin, counts: sparse(this.#counts) };
  }
}

/** The counts above zero, by index. */
export function sparse(counts: Uint32Array): Record<string, number> {
  const result: Record<string, number> = {};
  for (const [index, count] of counts.entries()) {
    if (count > 0) result[index] = count;
  }
  return result;
}

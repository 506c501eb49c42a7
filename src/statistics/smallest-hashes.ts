/** Of many distinct hashes the smallest: a sample of them that does not depend on how often or in what order they come. */

/** Units that a sketch keeps: the sample ratio sees a candidate of 5% at 10% after some 820 of them. */
export const SKETCH_UNITS = 4_096;

/**
 * The `capacity` smallest hashes that were inserted, each with a value. Merging two such sets and keeping the smallest
 * gives the set of the union. Hashes of one set are of one type and, as texts, of one length.
 */
export class SmallestHashes<Hash extends bigint | string, Value> {
  readonly #capacity: number;
  /** Ascending. */
  readonly #hashes: Hash[] = [];
  readonly #values = new Map<Hash, Value>();

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  /** False for a hash above all that are kept, once the set is full: one comparison. */
  admits(hash: Hash): boolean {
    if (this.#hashes.length < this.#capacity) return true;
    const largest = this.#hashes.at(-1);
    return largest !== undefined && hash <= largest;
  }

  get(hash: Hash): Value | undefined {
    return this.#values.get(hash);
  }

  /** Adds a hash that is not kept yet and is admitted; the largest one leaves a full set, for good. */
  insert(hash: Hash, value: Value): void {
    this.#hashes.splice(this.#placeOf(hash), 0, hash);
    this.#values.set(hash, value);
    if (this.#hashes.length <= this.#capacity) return;
    const largest = this.#hashes.pop();
    if (largest !== undefined) this.#values.delete(largest);
  }

  /** Ascending by hash. */
  entries(): readonly (readonly [Hash, Value])[] {
    const entries: (readonly [Hash, Value])[] = [];
    for (const hash of this.#hashes) {
      const value = this.#values.get(hash);
      if (value !== undefined) entries.push([hash, value]);
    }
    return entries;
  }

  /** Where a new hash belongs. */
  #placeOf(hash: Hash): number {
    let from = 0;
    let to = this.#hashes.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const found = this.#hashes[middle];
      if (found !== undefined && found < hash) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

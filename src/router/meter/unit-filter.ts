import type { UnitMark } from '../choice.js';

/** 2^20 bits a filter: 100,000 units at 1% false ones, 128 KiB. A false one makes a cold request count as a warm one. */
const BITS = 2 ** 20;
const HASHES = 4;

/** Which units have completed a request: a Bloom filter, so that a million of them cost no more than ten. */
export class UnitFilter {
  #words: Uint32Array | null = null;

  has(mark: UnitMark): boolean {
    const words = this.#words;
    if (words === null) return false;
    for (let index = 0; index < HASHES; index += 1) {
      const bit = bitOf(mark, index);
      if (((words[bit >>> 5] ?? 0) & (1 << (bit & 31))) === 0) return false;
    }
    return true;
  }

  add(mark: UnitMark): void {
    this.#words ??= new Uint32Array(BITS / 32);
    for (let index = 0; index < HASHES; index += 1) {
      const bit = bitOf(mark, index);
      this.#words[bit >>> 5] = (this.#words[bit >>> 5] ?? 0) | (1 << (bit & 31));
    }
  }
}

/** Double hashing (Kirsch & Mitzenmacher 2006): the i-th of the filter's hashes from two. An odd step reaches every bit. */
function bitOf(mark: UnitMark, index: number): number {
  return (mark.low + Math.imul(index, mark.high | 1)) & (BITS - 1);
}

/**
 * Random numbers that a seed determines: xoshiro128** (Blackman and Vigna 2021), its state filled by splitmix32.
 * Not for secrets.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;
  /** Second value of the last pair of normal numbers. */
  #spare: number | null = null;

  constructor(seed: number) {
    let state = seed | 0;
    const next = (): number => {
      state = (state + 0x9e3779b9) | 0;
      let mixed = state ^ (state >>> 16);
      mixed = Math.imul(mixed, 0x21f0aaad);
      mixed ^= mixed >>> 15;
      mixed = Math.imul(mixed, 0x735a2d97);
      return (mixed ^ (mixed >>> 15)) | 0;
    };
    this.#a = next();
    this.#b = next();
    this.#c = next();
    // A state of zeros would stay zeros.
    this.#d = next() | 1;
  }

  /** Uniform in [0, 1), 32 bits. */
  uniform(): number {
    const product = Math.imul(this.#b, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = (this.#d << 11) | (this.#d >>> 21);
    return result / 0x1_0000_0000;
  }

  /** True with this probability, 0..1. */
  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** Uniform among 0 .. count - 1. */
  below(count: number): number {
    return Math.floor(this.uniform() * count);
  }

  /** Standard normal, by the polar method of Marsaglia. */
  normal(): number {
    if (this.#spare !== null) {
      const value = this.#spare;
      this.#spare = null;
      return value;
    }
    for (;;) {
      const left = 2 * this.uniform() - 1;
      const right = 2 * this.uniform() - 1;
      const square = left * left + right * right;
      if (square >= 1 || square === 0) continue;
      const scale = Math.sqrt((-2 * Math.log(square)) / square);
      this.#spare = right * scale;
      return left * scale;
    }
  }

  /** Lognormal with this median; `logSd` is the standard deviation of its natural logarithm. */
  lognormal(median: number, logSd: number): number {
    return median * Math.exp(logSd * this.normal());
  }
}

/** Random numbers that a seed determines, the same on every machine: sfc32 of PractRand. Not for secrets. */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** Any two integers; each pair has a stream of its own. */
  constructor(seed: number, stream: number) {
    this.#a = seed | 0;
    this.#b = Math.trunc(seed / 2 ** 32) | 0;
    this.#c = stream | 0;
    // The first outputs of neighbouring seeds still resemble each other.
    for (let round = 0; round < 20; round++) this.#bits();
  }

  /** Uniform in [0, 1), 53 bits. */
  uniform(): number {
    const high = this.#bits() >>> 6;
    const low = this.#bits() >>> 5;
    return (high * 2 ** 27 + low) / 2 ** 53;
  }

  #bits(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
}

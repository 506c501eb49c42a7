/**
 * Seeded random numbers, the same on every machine: sfc32 of PractRand, 128 bits of state with a counter in it, so that
 * no stream repeats within 2^32 draws. A name and an index give a stream of their own.
 */
export class Random {
  private a: number;
  private b: number;
  private c: number;
  private counter = 1;
  private spare: number | null = null;

  constructor(name: string, index = 0) {
    this.a = hashOf(name, 0x9e3779b9);
    this.b = hashOf(name, 0x85ebca6b);
    this.c = (index * 0x27d4eb2f) | 0;
    // The first outputs of neighbouring seeds still resemble each other.
    for (let round = 0; round < 20; round++) this.bits();
  }

  /** Uniform in [0, 1), 53 bits. */
  uniform(): number {
    const high = this.bits() >>> 6;
    const low = this.bits() >>> 5;
    return (high * 134_217_728 + low) / 9_007_199_254_740_992;
  }

  /** Uniform in 0 … bound − 1. */
  below(bound: number): number {
    return Math.floor(this.uniform() * bound);
  }

  happens(probability: number): boolean {
    return this.uniform() < probability;
  }

  /** Standard normal: polar Box-Muller. */
  normal(): number {
    if (this.spare !== null) {
      const value = this.spare;
      this.spare = null;
      return value;
    }
    for (;;) {
      const x = 2 * this.uniform() - 1;
      const y = 2 * this.uniform() - 1;
      const square = x * x + y * y;
      if (square === 0 || square >= 1) continue;
      const scale = Math.sqrt((-2 * Math.log(square)) / square);
      this.spare = y * scale;
      return x * scale;
    }
  }

  private bits(): number {
    const sum = (((this.a + this.b) | 0) + this.counter) | 0;
    this.counter = (this.counter + 1) | 0;
    this.a = this.b ^ (this.b >>> 9);
    this.b = (this.c + (this.c << 3)) | 0;
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0;
    return sum >>> 0;
  }
}

/** FNV-1a over the name's code units, finished so that every bit depends on every other. */
function hashOf(name: string, offset: number): number {
  let hash = offset;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return hash ^ (hash >>> 16);
}

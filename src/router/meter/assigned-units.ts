import type { Variant } from '../../plan/types.js';
import { SKETCH_UNITS, SmallestHashes } from '../../statistics/smallest-hashes.js';

/**
 * The distinct units that a process has assigned in one generation, as far as their hashes are among the 4,096 smallest:
 * enough to see a wrong split, in memory that a million units do not fill. Which units are in it depends on the hash
 * alone, which says nothing about who serves them.
 */
export class AssignedUnits {
  readonly #units = new SmallestHashes<bigint, Set<Variant>>(SKETCH_UNITS);

  /** True when it is news: the unit enters, or is seen on this variant for the first time. */
  offer(sampleHash: bigint, variant: Variant): boolean {
    if (!this.#units.admits(sampleHash)) return false;
    const seen = this.#units.get(sampleHash);
    if (seen === undefined) {
      this.#units.insert(sampleHash, new Set([variant]));
      return true;
    }
    if (seen.has(variant)) return false;
    seen.add(variant);
    return true;
  }
}

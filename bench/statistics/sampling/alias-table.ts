import type { Random } from './random.js';

/**
 * Draws an index with given probabilities in constant time: Walker's alias method with Vose's set-up. Each column holds
 * its own index up to `share` of its height and one other above it.
 */
export class AliasTable {
  private readonly share: Float64Array;
  private readonly other: Int32Array;

  /** @param weights not negative, not all 0; they need not sum to 1 */
  constructor(weights: ArrayLike<number>) {
    const columns = weights.length;
    let sum = 0;
    for (let i = 0; i < columns; i++) sum += weights[i] ?? 0;
    if (!(sum > 0) || !Number.isFinite(sum)) throw new RangeError(`weights must have a positive sum, not ${sum}`);
    const height = Float64Array.from(weights, (weight) => (weight * columns) / sum);
    this.share = new Float64Array(columns).fill(1);
    this.other = Int32Array.from({ length: columns }, (_, index) => index);
    const small: number[] = [];
    const large: number[] = [];
    height.forEach((value, index) => (value < 1 ? small : large).push(index));
    for (;;) {
      const low = small.pop();
      const high = large.at(-1);
      // What rounding leaves over stays a full column.
      if (low === undefined || high === undefined) break;
      this.share[low] = height[low] ?? 0;
      this.other[low] = high;
      const left = (height[high] ?? 0) - (1 - (height[low] ?? 0));
      height[high] = left;
      if (left < 1) {
        large.pop();
        small.push(high);
      }
    }
  }

  sample(random: Random): number {
    const point = random.uniform() * this.share.length;
    const column = Math.floor(point);
    return point - column < (this.share[column] ?? 1) ? column : (this.other[column] ?? column);
  }
}

import type { HistogramSpec } from '../../plan/types.js';
import { bucketUpperEdge, sortedBuckets } from '../histogram.js';
import type { Histogram } from '../histogram.js';

/** A sum of histograms of one layout, dense: a stage adds thousands of them. */
export class HistogramSum {
  private counts = new Float64Array(1024);
  private sum = 0;

  constructor(from: Histogram = {}) {
    this.add(from);
  }

  /** Values in it. */
  get total(): number {
    return this.sum;
  }

  /** Adds a histogram and returns how many values it held. */
  add(histogram: Histogram): number {
    const { indexes, counts, total } = sortedBuckets(histogram);
    const largest = indexes.at(-1) ?? 0;
    if (largest >= this.counts.length) {
      const grown = new Float64Array(2 * largest);
      grown.set(this.counts);
      this.counts = grown;
    }
    for (let position = 0; position < indexes.length; position++) {
      const index = indexes[position] ?? 0;
      this.counts[index] = (this.counts[index] ?? 0) + (counts[position] ?? 0);
    }
    this.sum += total;
    return total;
  }

  /** The sum as sparse counts by bucket index. */
  toHistogram(): Record<string, number> {
    const counts: Record<string, number> = {};
    this.counts.forEach((count, index) => {
      if (count > 0) counts[index] = count;
    });
    return counts;
  }

  /** The quantile in the histogram's unit: the middle, on the log scale, of the bucket that holds it; null when empty. */
  quantile(quantile: number, { gamma, xMin }: HistogramSpec): number | null {
    let cumulative = 0;
    const index = this.counts.findIndex((count) => {
      cumulative += count;
      return count > 0 && cumulative >= quantile * this.sum;
    });
    return index < 0 ? null : bucketUpperEdge(index, { gamma, smallest: xMin }) / Math.sqrt(gamma);
  }
}

import type { HistogramSpec } from '../../plan/types.js';
import { bucketUpperEdge, quantileIndex } from '../histogram.js';

/** A sum of sparse histograms of one layout. */
export class HistogramSum {
  /** Counts by bucket index. */
  readonly counts: Record<string, number> = {};
  private sum = 0;

  constructor(counts: Readonly<Record<string, number>> = {}) {
    this.add(counts);
  }

  /** Values in it. */
  get total(): number {
    return this.sum;
  }

  add(counts: Readonly<Record<string, number>>): void {
    for (const [index, count] of Object.entries(counts)) {
      this.counts[index] = (this.counts[index] ?? 0) + count;
      this.sum += count;
    }
  }

  /** The quantile in the histogram's unit: the middle, on the log scale, of the bucket that holds it; null when empty. */
  quantile(quantile: number, { gamma, xMin }: HistogramSpec): number | null {
    if (this.sum === 0) return null;
    const index = quantileIndex(this.counts, quantile);
    return bucketUpperEdge(index, { gamma, smallest: xMin }) / Math.sqrt(gamma);
  }
}

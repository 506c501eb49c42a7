import type { HistogramSpec } from '../../types.js';
import { histogramEntries } from '../../../statistics/histogram.js';
import type { Spread } from '../baseline.js';
import { normalTail } from '../normal.js';

/** Where the median lies: only ratios matter. In the unit of the values. */
const MEDIAN = 400;

/** Buckets this far out, in standard deviations, hold nothing. */
const FAR = 8;

/** Shares of values by bucket of a histogram, from bucket `first` on. */
export interface ValueShares {
  readonly first: number;
  readonly shares: readonly number[];
}

/**
 * How values that are `ratio` times those of a spread fall on a histogram's buckets. A measured spread must be cut as
 * `spec`; it is moved by ln ratio/ln gamma buckets, a part of a bucket by sharing it between two. Throws `RangeError`
 * when it is cut in another way.
 */
export function valueShares(spread: Spread, spec: HistogramSpec, ratio: number): ValueShares {
  const bucket = Math.log(spec.gamma);
  switch (spread.kind) {
    case 'lognormal': {
      const centre = Math.log((MEDIAN * ratio) / spec.xMin);
      const first = Math.max(0, Math.floor((centre - FAR * spread.logSd) / bucket));
      const last = Math.ceil((centre + FAR * spread.logSd) / bucket);
      const above = (index: number): number => normalTail((index * bucket - centre) / spread.logSd);
      const shares = Array.from({ length: last - first + 1 }, (_, step) => {
        const index = first + step;
        return (index === first ? 1 : above(index - 1)) - (index === last ? 0 : above(index));
      });
      return { first, shares };
    }
    case 'histogram': {
      const { gamma, xMin, counts } = spread.histogram;
      if (gamma !== spec.gamma || xMin !== spec.xMin) {
        throw new RangeError(`the measured histogram is cut at gamma ${gamma}, xMin ${xMin}, not as the plan cuts it`);
      }
      return moved(histogramEntries(counts), Math.log(ratio) / bucket);
    }
  }
}

function moved(entries: readonly (readonly [number, number])[], by: number): ValueShares {
  const whole = Math.floor(by);
  const part = by - whole;
  const first = Math.max(0, (entries[0]?.[0] ?? 0) + whole);
  const last = Math.max(first, (entries.at(-1)?.[0] ?? 0) + whole + 1);
  const shares = Array.from({ length: last - first + 1 }, () => 0);
  for (const [index, count] of entries) {
    const at = Math.max(0, index + whole - first);
    shares[at] = (shares[at] ?? 0) + count * (1 - part);
    shares[at + 1] = (shares[at + 1] ?? 0) + count * part;
  }
  const total = shares.reduce((sum, share) => sum + share, 0);
  return { first, shares: shares.map((share) => share / total) };
}

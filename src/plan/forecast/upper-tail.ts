import { requireFinite } from '../../statistics/checks.js';
import { histogramEntries, quantileIndex, requireQuantile } from '../../statistics/histogram.js';
import type { Spread } from './baseline.js';
import { normalQuantile, normalTail } from './normal.js';

/**
 * P(a value exceeds its distribution's quantile by more than the factor e^logFactor), in [0, 1].
 *
 * Lognormal: 1 − Φ(z_quantile + logFactor/logSd). A histogram: the share above the quantile's bucket moved by
 * logFactor/ln gamma buckets, linear in between. At logFactor 0 it is 1 − quantile, for a histogram up to one bucket.
 * Throws unless 0 < quantile ≤ 1 and logFactor is finite.
 */
export function upperTail(spread: Spread, quantile: number, logFactor: number): number {
  requireQuantile(quantile);
  requireFinite(logFactor, 'log factor');
  switch (spread.kind) {
    case 'lognormal':
      return normalTail(normalQuantile(quantile) + logFactor / spread.logSd);
    case 'histogram': {
      const { gamma, counts } = spread.histogram;
      return shareAbove(counts, quantileIndex(counts, quantile) + logFactor / Math.log(gamma));
    }
  }
}

/** Share of the counts in buckets above a place between buckets. */
function shareAbove(counts: Readonly<Record<string, number>>, place: number): number {
  const below = Math.floor(place);
  let total = 0;
  let above = 0;
  for (const [index, count] of histogramEntries(counts)) {
    total += count;
    if (index > below + 1) above += count;
    // The bucket in which the place lies is cut where it lies.
    else if (index === below + 1) above += count * (1 - (place - below));
  }
  return above / total;
}

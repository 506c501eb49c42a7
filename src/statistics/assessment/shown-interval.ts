import { confidenceSequence } from '../confidence-sequence.js';
import type { GridRange } from '../evidence-grid.js';

/** Intervals are shown at 95 %, whatever the families' own error rates are. */
const INTERVAL_ALPHA = 0.05;

/**
 * The 95 % confidence sequence of a profile as an odds ratio, for people: it may be watched at any time, and covers a
 * constant effect, else a weighted average. Null = unbounded on that side. Source: method §2.5.
 */
export function shownInterval(
  theta: Float64Array,
  profile: Float64Array,
  display: GridRange,
): readonly [number | null, number | null] {
  const points = theta.subarray(display.first, display.end);
  const { lower, upper } = confidenceSequence(points, profile.subarray(display.first, display.end), INTERVAL_ALPHA);
  return [lower === -Infinity ? null : Math.exp(lower), upper === Infinity ? null : Math.exp(upper)];
}

import { requireNumber, requireOpenRate } from './checks.js';

/**
 * e-BH: the indexes of the hypotheses rejected with false discovery rate at most α, ascending.
 *
 * Rejects the k largest e-values for the largest k whose k-th largest E is at least m/(α·k), under any dependence. For
 * dashboards over many segments only; verdicts use the closed test. Nats; throws on NaN and unless 0 < α < 1.
 * Source: Wang & Ramdas 2022; method §10.2.
 */
export function eBenjaminiHochberg(logEValues: readonly number[], alpha: number): readonly number[] {
  requireOpenRate(alpha, 'alpha');
  for (const logE of logEValues) requireNumber(logE, 'log e-value');
  const descending = logEValues.map((logE, index) => ({ logE, index })).toSorted((a, b) => compare(b.logE, a.logE));
  const rejected = descending.findLastIndex(
    ({ logE }, rank) => logE >= Math.log(logEValues.length) - Math.log(alpha) - Math.log(rank + 1),
  );
  return descending
    .slice(0, rejected + 1)
    .map(({ index }) => index)
    .toSorted((a, b) => a - b);
}

/** b − a would be NaN for two equal infinities. */
function compare(left: number, right: number): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

import { requireOpenRate } from '../../statistics/checks.js';
import { logSumExp } from '../../statistics/log-sum-exp.js';
import { leastWhere } from './least-where.js';
import type { Passage } from './passage.js';

/** Alternatives q0/2 … q0/4096, as in `absoluteMarginLogE`. */
const HALVINGS = 12;

/** A drift of nothing, nats a request: the walk gets to its bound all the same, at some time. */
const LEAST_GROWTH = 1e-9;

/**
 * How E_abs, the test without a control, gets to 1/alpha when the candidate's rate of bad events is `rate`; by request
 * of the candidate.
 *
 * The mean solves ln Σ u_i·exp(n·g_i) = ln(1/alpha), with g_i the expected log likelihood ratio of the i-th alternative a
 * request; the variance is that of the leading one. Where even that one falls (the margin is hardly above the rate) the
 * walk may still get there by chance, e^(−2·B·|g|/variance) of the time. Throws unless rate, marginRate and alpha lie in
 * (0, 1). Source: design, "No events at all"; method §9.2.
 */
export function absoluteMarginPassage(rate: number, marginRate: number, alpha: number): Passage | null {
  requireOpenRate(rate, 'rate');
  requireOpenRate(marginRate, 'margin rate');
  requireOpenRate(alpha, 'alpha');
  const alternatives = Array.from({ length: HALVINGS }, (_, index) => {
    const event = -(index + 1) * Math.LN2;
    const clean = Math.log1p(-marginRate * Math.exp(event)) - Math.log1p(-marginRate);
    return { growth: rate * event + (1 - rate) * clean, variance: rate * (1 - rate) * (event - clean) ** 2 };
  });
  const { growth, variance } = alternatives.reduce((best, one) => (one.growth > best.growth ? one : best));
  const bound = -Math.log(alpha) + Math.log(HALVINGS);
  // In units in which the variance is twice the drift, as it is for a log likelihood ratio under its own alternative.
  const natsPerRequest = (2 * Math.max(Math.abs(growth), LEAST_GROWTH) ** 2) / variance;
  if (growth < LEAST_GROWTH) {
    const thresholdNats = (2 * bound * Math.max(-growth, LEAST_GROWTH)) / variance;
    return { thresholdNats, natsPerRequest, chanceEver: Math.exp(-thresholdNats) };
  }
  const mean = leastWhere((requests) => logSumExp(alternatives.map((one) => requests * one.growth)) >= bound, 0.5);
  if (mean === null) return null;
  return { thresholdNats: mean * natsPerRequest, natsPerRequest, chanceEver: 1 };
}

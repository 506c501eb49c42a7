import { requireCount, requireOpenRate, requirePositive } from './checks.js';
import { StatisticsError } from './errors.js';
import { logSumExp, logWeightedAverage } from './log-sum-exp.js';

/** Alternatives q0/2 … q0/4096. */
const HALVINGS = 12;

/**
 * ln E_abs of "the candidate's rate is at least `marginRate`": evidence from the candidate alone, without a control.
 *
 * E_abs = Σ_i u_i·(q_i/q0)^events·((1 − q_i)/(1 − q0))^(trials − events), q_i = q0·2^−i, i = 1 … 12, u_i = 1/12.
 * The conditional kernel says nothing about 0 events against 0; this says how much so many clean requests are worth
 * (ln 20 after about 770 at q0 = 0.0051). `designEffect` divides each alternative's log likelihood ratio: requests of
 * users who resemble themselves are worth less (§8.2). Units: nats. Throws on impossible counts, unless
 * 0 < marginRate < 1 and unless the design effect is positive. Source: method §3.7.
 */
export function absoluteMarginLogE(events: number, trials: number, marginRate: number, designEffect = 1): number {
  requireCount(events);
  requireCount(trials);
  if (events > trials) throw new StatisticsError('events-exceed-trials', 'events exceed trials');
  requireOpenRate(marginRate, 'margin rate');
  requirePositive(designEffect, 'design effect');
  const logs = Array.from({ length: HALVINGS }, (_, k) => {
    const halvings = k + 1;
    const logCleanRatio = Math.log1p(-marginRate * 2 ** -halvings) - Math.log1p(-marginRate);
    const logRatio = (trials - events) * logCleanRatio - events * halvings * Math.LN2;
    return logRatio / designEffect - Math.log(HALVINGS);
  });
  return logSumExp(logs);
}

/**
 * ln(½·E_less + ½·E_abs): the evidence that opens a rate's gate, relative to stable or against the absolute margin.
 * An average of e-processes, so valid for "worse than both margins"; it needs −ln α_P. Nats; throws on NaN.
 */
export function gateLogE(logELess: number, logEAbsolute: number): number {
  return logWeightedAverage([logELess, logEAbsolute], [0.5, 0.5]);
}

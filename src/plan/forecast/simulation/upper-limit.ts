import { requireCount, requireOpenRate } from '../../../statistics/checks.js';
import { logSumExp } from '../../../statistics/log-sum-exp.js';

const BISECTIONS = 60;

/**
 * The upper Clopper-Pearson limit: the largest probability under which `events` or fewer of `trials` still have a chance
 * of 1 − confidence. Exact, never too low. Throws unless 0 ≤ events ≤ trials are counts and 0 < confidence < 1.
 */
export function upperLimit(events: number, trials: number, confidence = 0.95): number {
  requireCount(events);
  requireCount(trials);
  requireOpenRate(confidence, 'confidence');
  if (events >= trials) return 1;
  let low = events / trials;
  let high = 1;
  for (let step = 0; step < BISECTIONS; step++) {
    const middle = (low + high) / 2;
    if (logAtMost(events, trials, middle) > Math.log1p(-confidence)) low = middle;
    else high = middle;
  }
  return high;
}

/** ln P(X ≤ events), X binomial, 0 < rate < 1. */
function logAtMost(events: number, trials: number, rate: number): number {
  let term = trials * Math.log1p(-rate);
  const terms = [term];
  for (let count = 0; count < events; count++) {
    term += Math.log((trials - count) / (count + 1)) + Math.log(rate) - Math.log1p(-rate);
    terms.push(term);
  }
  return logSumExp(terms);
}

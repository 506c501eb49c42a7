import { requireFinite, requireRate } from './checks.js';
import { expit } from './odds-ratio.js';

/** No rate of a double is further out than this. */
const LARGEST_LOG_ODDS = 740;

/** The bisection ends when the bracket cannot be halved any more; a double needs fewer steps than this. */
const MAXIMUM_BISECTIONS = 200;

/**
 * kl(q ‖ p) = q·ln(q/p) + (1 − q)·ln((1 − q)/(1 − p)): nats of evidence per observation from a coin of rate q against
 * the hypothesis that its rate is p. ∞ where p excludes what q allows. Throws unless both are rates in [0, 1].
 */
export function klBernoulli(q: number, p: number): number {
  requireRate(q, 'rate');
  requireRate(p, 'rate');
  const events = q === 0 ? 0 : q * Math.log(q / p);
  const others = q === 1 ? 0 : (1 - q) * (Math.log1p(-q) - Math.log1p(-p));
  return Math.max(0, events + others);
}

/**
 * K = min_p [w·kl(candidateRate ‖ expit(logit p + θ0)) + (1 − w)·kl(stableRate ‖ p)]: nats of evidence per request (of
 * both variants) against "the log odds ratio is θ0", for a candidate with share w.
 *
 * Any test at level α that stops with certainty needs at least ln(1/α)/K requests (Wald). The derivative in logit p,
 * w·(expit(x + θ0) − candidateRate) + (1 − w)·(expit(x) − stableRate), increases, so its root is bisected. Throws unless
 * rates and share lie in [0, 1] and θ0 is finite. Source: method §9.1.
 */
export function klTwoSample(stableRate: number, candidateRate: number, share: number, theta0: number): number {
  requireRate(stableRate, 'rate');
  requireRate(candidateRate, 'rate');
  requireRate(share, 'share');
  requireFinite(theta0, 'theta');
  const slope = (logOdds: number): number =>
    share * (expit(logOdds + theta0) - candidateRate) + (1 - share) * (expit(logOdds) - stableRate);
  let low = -LARGEST_LOG_ODDS;
  let high = LARGEST_LOG_ODDS;
  for (let step = 0; step < MAXIMUM_BISECTIONS; step++) {
    const middle = (low + high) / 2;
    if (middle === low || middle === high) break;
    if (slope(middle) < 0) low = middle;
    else high = middle;
  }
  const logOdds = (low + high) / 2;
  return (
    share * klBernoulli(candidateRate, expit(logOdds + theta0)) + (1 - share) * klBernoulli(stableRate, expit(logOdds))
  );
}

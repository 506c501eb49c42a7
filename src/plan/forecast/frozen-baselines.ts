import { requireOpenRate, requirePositive } from '../../statistics/checks.js';
import { frozenBaseline } from '../../statistics/assessment/promote-margin.js';
import { normalQuantile } from './normal.js';

/** Equally likely values that stand for a distribution. */
const POINTS = 16;

/** From so many expected events on a binomial distribution is as good as normal. */
const NORMAL_FROM = 50;

/**
 * The baselines that a rollout may freeze from `trials` requests of stable when its rate is `rate`: 16 equally likely
 * ones, ascending. The margins hang on it, so that a forecast has to reckon with all of them. Throws unless 0 < rate < 1
 * and trials > 0.
 */
export function frozenBaselines(rate: number, trials: number): readonly number[] {
  requireOpenRate(rate, 'rate');
  requirePositive(trials, 'trials');
  const whole = Math.round(trials);
  return Array.from({ length: POINTS }, (_, point) => {
    const events = eventsAt((point + 0.5) / POINTS, whole, rate);
    return frozenBaseline(whole, Math.min(whole, Math.max(0, events)));
  });
}

/** The quantile of a binomial distribution. */
function eventsAt(quantile: number, trials: number, rate: number): number {
  const mean = trials * rate;
  if (mean >= NORMAL_FROM) return mean + Math.sqrt(mean * (1 - rate)) * normalQuantile(quantile);
  let term = Math.exp(trials * Math.log1p(-rate));
  let cumulative = term;
  let events = 0;
  while (cumulative < quantile && events < trials) {
    term *= ((trials - events) / (events + 1)) * (rate / (1 - rate));
    cumulative += term;
    events++;
  }
  return events;
}

import { requireOpenRate, requirePositive } from '../../statistics/checks.js';
import { frozenBaseline } from '../../statistics/assessment/promote-margin.js';

/** One baseline that may be frozen, and its chance. */
export interface PossibleBaseline {
  readonly rate: number;
  readonly chance: number;
}

/** From so many expected events on a binomial distribution is as good as normal. */
const NORMAL_FROM = 50;

/** The normal one is taken at these distances from its mean, in standard deviations. */
const NORMAL_REACH = 4;
const NORMAL_STEP = 0.125;

/** Chances below this say nothing. */
const LEAST_CHANCE = 1e-6;

/**
 * The baselines that a rollout may freeze from `trials` requests of stable when its rate is `rate`, ascending, with their
 * chances. The margins hang on it, so that a forecast has to reckon with all of them: a few quantiles of so few events
 * would make it jump from one number of requests to the next. Throws unless 0 < rate < 1 and trials > 0.
 */
export function frozenBaselines(rate: number, trials: number): readonly PossibleBaseline[] {
  requireOpenRate(rate, 'rate');
  requirePositive(trials, 'trials');
  const whole = Math.max(1, Math.round(trials));
  const possible = whole * Math.min(rate, 1 - rate) >= NORMAL_FROM ? normal(rate, whole) : binomial(rate, whole);
  const sum = possible.reduce((total, { chance }) => total + chance, 0);
  return possible
    .filter(({ chance }) => chance > LEAST_CHANCE)
    .map(({ events, chance }) => ({ rate: frozenBaseline(whole, events), chance: chance / sum }));
}

interface PossibleEvents {
  readonly events: number;
  readonly chance: number;
}

function normal(rate: number, trials: number): readonly PossibleEvents[] {
  const mean = trials * rate;
  const deviation = Math.sqrt(mean * (1 - rate));
  const steps = Math.round((2 * NORMAL_REACH) / NORMAL_STEP);
  return Array.from({ length: steps + 1 }, (_, step) => {
    const z = step * NORMAL_STEP - NORMAL_REACH;
    return { events: Math.min(trials, Math.max(0, mean + z * deviation)), chance: Math.exp((-z * z) / 2) };
  });
}

/** Every number of events from none on, as far as it has a chance. */
function binomial(rate: number, trials: number): readonly PossibleEvents[] {
  const possible: PossibleEvents[] = [];
  let logChance = trials * Math.log1p(-rate);
  for (let events = 0; events <= trials; events++) {
    const chance = Math.exp(logChance);
    if (chance > LEAST_CHANCE) possible.push({ events, chance });
    else if (events > trials * rate) break;
    logChance += Math.log((trials - events) / (events + 1)) + Math.log(rate) - Math.log1p(-rate);
  }
  return possible;
}

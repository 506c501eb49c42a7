import { freezePlan } from '../../src/plan/freeze.js';
import { upstreamName } from '../../src/plan/ids.js';
import type { Plan } from '../../src/plan/types.js';

/** The grain that a stage of seven days has when the plan asks for more than its default of a minute. */
export const INTERVAL_MS = 10_000;
/** Seven days of them. */
export const INTERVALS = 60_480;

/** One stage of seven days at half of the traffic, every guardrail of the default plan on. */
export function weekPlan(): Plan {
  return freezePlan(
    {
      route: 'support',
      candidate: 'llama-32',
      stages: [{ kind: 'canary', share: '50%', for: '7d', interval: '10s' }],
    },
    { config: null, stable: upstreamName('llama-31') },
  );
}

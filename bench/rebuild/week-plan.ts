import type { HistogramSpec, Plan, QuantileGuardrail, RateGuardrail } from '../../src/plan/types.js';
import { freezePlan } from '../../src/plan/freeze.js';
import { upstreamName } from '../../src/plan/ids.js';

/** The grain that a stage of seven days has when the plan asks for more than its default of a minute. */
export const INTERVAL_MS = 10_000;
/** Seven days of them. */
export const INTERVALS = 60_480;

/** Ten buckets to a factor of 1.2. */
const LATENCY_BUCKETS: HistogramSpec = { gamma: 1.2 ** 0.1, xMin: 0.001 };

/** One stage of seven days at half of the traffic, the default plan's guardrails on. */
export function weekPlan(): Plan {
  const plan = freezePlan(
    {
      route: 'support',
      candidate: 'llama-32',
      stages: [{ kind: 'canary', share: '50%', for: '7d', interval: '10s' }],
    },
    { config: null, stable: upstreamName('llama-31') },
  );
  const names = new Set(plan.guardrails.map(({ name }) => name));
  const more = OTHERS.filter(({ name }) => !names.has(name));
  return { ...plan, guardrails: renormalised([...plan.guardrails, ...more]) };
}

/** Those that a plan cannot ask for yet though records hold them. */
const OTHERS: readonly (RateGuardrail | QuantileGuardrail)[] = [
  ttft('ttft_p50', 0.5),
  ttft('ttft_p95', 0.95),
  either('refusal_rate', 0.35),
  either('abort_rate', 0.15),
];

function ttft(name: 'ttft_p50' | 'ttft_p95', quantile: number): QuantileGuardrail {
  return {
    kind: 'quantile',
    name,
    action: 'rollback',
    weight: 0.1,
    signal: 'ttft',
    quantile,
    limit: 1.2,
    histogram: LATENCY_BUCKETS,
    limitShift: 10,
    typicalEffect: 0.4,
    promote: { shifts: { early: 17, middle: 13, late: 10 } },
  };
}

function either(name: 'refusal_rate' | 'abort_rate', weight: number): RateGuardrail {
  return { kind: 'rate', name, action: 'hold', weight, limit: 1.1, twoSided: true, typicalEffect: 0.4, promote: null };
}

function renormalised(guardrails: Plan['guardrails']): Plan['guardrails'] {
  const sums = { rollback: 0, hold: 0, flag: 0 };
  for (const { action, weight } of guardrails) sums[action] += weight;
  return guardrails.map((guardrail) => ({ ...guardrail, weight: guardrail.weight / sums[guardrail.action] }));
}

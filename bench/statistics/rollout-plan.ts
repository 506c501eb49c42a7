import { routeName, stageName, upstreamName } from '../../src/plan/ids.js';
import type { Guardrail, LadderStep, Plan, QuantileGuardrail, StagePlan } from '../../src/plan/types.js';
import { LATENCY_BUCKETS, LIMIT_RATIO, LIMIT_SHIFT } from './latency-model.js';

/** Length of an interval, and of a stage in intervals. */
export const INTERVAL_MS = 60_000;
export const INTERVALS_PER_STAGE = 60;

/** The stages of the five-week plan, each an hour of intervals of a minute. */
const STAGES: readonly StagePlan[] = [
  stage({ name: 'shadow', kind: 'shadow', candidate: 0, mirrorShare: 1, mixtureShare: 0.2, ladder: 'early' }),
  stage({ name: 'canary-5', kind: 'canary', candidate: 0.05, mixtureShare: 0.7 / 3, ladder: 'early' }),
  stage({ name: 'canary-25', kind: 'canary', candidate: 0.25, mixtureShare: 0.7 / 3, ladder: 'middle' }),
  stage({ name: 'canary-50', kind: 'canary', candidate: 0.5, mixtureShare: 0.7 / 3, ladder: 'late' }),
  stage({ name: 'flip', kind: 'flip', candidate: 1, mirrorShare: 0.1, mixtureShare: 0.1, ladder: 'late' }),
];

/** The rollback guardrails that routers measure request by request, weighted as in the default plan. */
const GUARDRAILS: readonly Guardrail[] = renormalised([
  {
    kind: 'rate',
    name: 'error_rate',
    action: 'rollback',
    weight: 0.25,
    limit: 1.05,
    twoSided: false,
    typicalEffect: 0.4,
    promote: { ratios: { early: 2, middle: 1.5, late: 1.25 }, absolute: 0.005 },
  },
  quantile('latency_p50', 0.1),
  quantile('latency_p95', 0.15),
  quantile('ttft_p50', 0.1),
  quantile('ttft_p95', 0.1),
]);

/** A frozen plan for simulated evidence: the default guardrails, α and ladder; only times are short. */
export const ROLLOUT_PLAN: Plan = {
  version: 1,
  route: routeName('support'),
  stable: upstreamName('old'),
  candidate: upstreamName('new'),
  preset: 'five-week',
  stages: STAGES,
  guardrails: GUARDRAILS,
  falseRollback: 0.05,
  falseHold: 0.05,
  falseFlag: 0.05,
  falsePromote: 0.05,
  requestTimeoutMs: 60_000,
  lease: { seconds: 900, onExpiry: 'stable' },
  ab: null,
  notify: [],
  digest: 'bench',
};

function quantile(name: 'latency_p50' | 'latency_p95' | 'ttft_p50' | 'ttft_p95', weight: number): QuantileGuardrail {
  return {
    kind: 'quantile',
    name,
    action: 'rollback',
    weight,
    signal: name.startsWith('ttft') ? 'ttft' : 'latency',
    quantile: name.endsWith('p95') ? 0.95 : 0.5,
    limit: LIMIT_RATIO,
    histogram: { gamma: LATENCY_BUCKETS.gamma, xMin: LATENCY_BUCKETS.smallest },
    limitShift: LIMIT_SHIFT,
    typicalEffect: 0.4,
    promote: { shifts: { early: 17, middle: 13, late: 10 } },
  };
}

function renormalised(guardrails: readonly Guardrail[]): readonly Guardrail[] {
  const sum = guardrails.reduce((total, { weight }) => total + weight, 0);
  return guardrails.map((guardrail) => ({ ...guardrail, weight: guardrail.weight / sum }));
}

function stage(shape: {
  readonly name: string;
  readonly kind: StagePlan['kind'];
  readonly candidate: number;
  readonly mirrorShare?: number;
  readonly mixtureShare: number;
  readonly ladder: LadderStep;
}): StagePlan {
  const durationMs = INTERVALS_PER_STAGE * INTERVAL_MS;
  return {
    name: stageName(shape.name),
    kind: shape.kind,
    weights: { stable: 1 - shape.candidate, candidate: shape.candidate },
    mirror: { variant: shape.kind === 'flip' ? 'stable' : 'candidate', share: shape.mirrorShare ?? 0 },
    durationMs,
    maxDurationMs: durationMs,
    minRequests: 100,
    gate: 'auto',
    onUndecided: 'advance',
    lookTimesMs: [durationMs],
    intervalMs: INTERVAL_MS,
    warmupMs: 5 * INTERVAL_MS,
    feedbackHorizonMs: INTERVAL_MS,
    window: null,
    checks: [],
    mixtureShare: shape.mixtureShare,
    ladder: shape.ladder,
  };
}

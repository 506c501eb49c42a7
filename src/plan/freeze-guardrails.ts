/** From guardrails as written to frozen ones: defaults of the table, margins as bucket shifts, weights by family. */
import type { WrittenQuantile, WrittenRate } from './guardrail-schema.js';
import type { WrittenPlan } from './plan-schema.js';
import type { Path, Problem } from './problem.js';
import { valueProblem } from './problem.js';
import type { Guardrail, GuardrailAction, LadderStep, QuantileGuardrail, RateGuardrail } from './types.js';

/** Bucket width that histograms aim at (statistics: ten buckets to a factor of 1.2). */
const GAMMA_GOAL = 1.0184;
const X_MIN_MS = 0.001;
const STEPS: readonly LadderStep[] = ['early', 'middle', 'late'];

interface RateDefaults {
  readonly limit: number;
  readonly weight: number;
  readonly action: GuardrailAction;
  readonly twoSided: boolean;
  readonly typicalEffect: number;
  readonly ratios: Readonly<Record<LadderStep, number>>;
  readonly absolute: number;
}

interface QuantileDefaults {
  readonly signal: 'latency' | 'ttft';
  readonly quantile: number;
  readonly limit: number;
  readonly weight: number;
  readonly action: GuardrailAction;
  readonly typicalEffect: number;
  /** Promotion margins as powers of the limit: 17, 13 and 10 buckets where the limit has ten. */
  readonly powers: Readonly<Record<LadderStep, number>>;
}

const POWERS = { early: 1.7, middle: 1.3, late: 1 } as const;

const RATE_DEFAULTS = {
  error_rate: {
    limit: 1.05,
    weight: 0.25,
    action: 'rollback',
    twoSided: false,
    typicalEffect: 0.4,
    ratios: { early: 2, middle: 1.5, late: 1.25 },
    absolute: 0.005,
  },
} as const satisfies Readonly<Record<string, RateDefaults>>;

const QUANTILE_DEFAULTS = {
  latency_p50: {
    signal: 'latency',
    quantile: 0.5,
    limit: 1.2,
    weight: 0.1,
    action: 'rollback',
    typicalEffect: 0.4,
    powers: POWERS,
  },
  latency_p95: {
    signal: 'latency',
    quantile: 0.95,
    limit: 1.2,
    weight: 0.15,
    action: 'rollback',
    typicalEffect: 0.4,
    powers: POWERS,
  },
} as const satisfies Readonly<Record<string, QuantileDefaults>>;

/** Freezes the guardrails of a plan whose every value is legal by itself. */
export function freezeGuardrails(plan: WrittenPlan): {
  guardrails: readonly Guardrail[];
  problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const written = plan.guardrails ?? {};
  const guardrails: Guardrail[] = [];
  for (const name of ['error_rate'] as const)
    if (written[name] !== 'off') guardrails.push(freezeRate(name, written[name] ?? {}, problems));
  for (const name of ['latency_p50', 'latency_p95'] as const)
    if (written[name] !== 'off') guardrails.push(freezeQuantile(name, written[name] ?? {}, problems));
  if (!guardrails.some(({ action }) => action === 'rollback'))
    problems.push({
      path: ['guardrails'],
      message:
        'guardrails: none is left that rolls back. Leave at least one on with action: rollback, such as error_rate',
    });
  return { guardrails: withWeights(guardrails), problems };
}

function freezeRate(name: keyof typeof RATE_DEFAULTS, written: WrittenRate, problems: Problem[]): RateGuardrail {
  const defaults: RateDefaults = RATE_DEFAULTS[name];
  const path = ['guardrails', name];
  const limit = written.limit ?? defaults.limit;
  const action = written.action ?? defaults.action;
  const ladder = written.promote === 'off' ? {} : (written.promote ?? {});
  const ratios = perStep((step) => Math.max(limit, ladder[step] ?? defaults.ratios[step]));
  for (const step of STEPS) {
    const ratio = ladder[step];
    if (ratio !== undefined && ratio < limit)
      problems.push(
        valueProblem(
          [...path, 'promote', step],
          ratio,
          `below the limit ${limit}, beyond which the candidate is rolled back. Write at least ${limit}`,
        ),
      );
  }
  refuseIdlePromote(path, action, written, problems);
  return {
    kind: 'rate',
    name,
    action,
    weight: written.weight ?? defaults.weight,
    limit,
    twoSided: defaults.twoSided,
    typicalEffect: defaults.typicalEffect,
    promote:
      action !== 'rollback' || written.promote === 'off'
        ? null
        : { ratios, absolute: written.margin ?? defaults.absolute },
  };
}

function freezeQuantile(
  name: keyof typeof QUANTILE_DEFAULTS,
  written: WrittenQuantile,
  problems: Problem[],
): QuantileGuardrail {
  const defaults: QuantileDefaults = QUANTILE_DEFAULTS[name];
  const path = ['guardrails', name];
  const limit = written.limit ?? defaults.limit;
  const action = written.action ?? defaults.action;
  const limitShift = Math.max(1, Math.round(Math.log(limit) / Math.log(GAMMA_GOAL)));
  const gamma = limit ** (1 / limitShift);
  const ladder = written.promote === 'off' ? {} : (written.promote ?? {});
  const shifts = perStep((step) => {
    const ratio = ladder[step];
    if (ratio === undefined) return Math.round(defaults.powers[step] * limitShift);
    const shift = shiftOf(ratio, gamma);
    if (typeof shift === 'number') return shift;
    problems.push(valueProblem([...path, 'promote', step], ratio, shift.why));
    return limitShift;
  });
  refuseIdlePromote(path, action, written, problems);
  return {
    kind: 'quantile',
    name,
    action,
    weight: written.weight ?? defaults.weight,
    signal: defaults.signal,
    quantile: defaults.quantile,
    limit,
    histogram: { gamma, xMin: X_MIN_MS },
    limitShift,
    typicalEffect: defaults.typicalEffect,
    promote: action !== 'rollback' || written.promote === 'off' ? null : { shifts },
  };
}

/** Whole buckets of a ratio, or the nearest ratios that have some; to four decimals as people write them. */
function shiftOf(ratio: number, gamma: number): number | { readonly why: string } {
  const exact = Math.log(ratio) / Math.log(gamma);
  const shift = Math.round(exact);
  const ratioOf = (buckets: number): number => Number((gamma ** buckets).toFixed(4));
  if (shift >= 1 && (Math.abs(exact - shift) < 1e-9 || ratioOf(shift) === Number(ratio.toFixed(4)))) return shift;
  const below = Math.max(1, Math.floor(exact));
  return {
    why: `no whole number of buckets of the histogram. The nearest are ${ratioOf(below)} and ${ratioOf(below + 1)}`,
  };
}

function perStep(value: (step: LadderStep) => number): Record<LadderStep, number> {
  return { early: value('early'), middle: value('middle'), late: value('late') };
}

function refuseIdlePromote(
  path: Path,
  action: GuardrailAction,
  written: WrittenRate | WrittenQuantile,
  problems: Problem[],
): void {
  if (action === 'rollback') return;
  const idle =
    typeof written.promote === 'object'
      ? 'promote'
      : 'margin' in written && written.margin !== undefined
        ? 'margin'
        : null;
  if (idle !== null)
    problems.push({
      path: [...path, idle],
      message: `${path.join('.')}.${idle}: without meaning, since a guardrail with action ${action} never gates. Leave it out, or write action: rollback`,
    });
}

/** Weights of each family scaled to sum 1. */
function withWeights(guardrails: readonly Guardrail[]): readonly Guardrail[] {
  const sums = { rollback: 0, hold: 0, flag: 0 };
  for (const { action, weight } of guardrails) sums[action] += weight;
  return guardrails.map((guardrail) => ({ ...guardrail, weight: guardrail.weight / sums[guardrail.action] }));
}

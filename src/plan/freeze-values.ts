/** Freezes the guardrails that compare values: times by a quantile, lengths by several. */
import { QUANTILE_DEFAULTS, TIME_POWERS, TIME_X_MIN, TOKENS_X_MIN, TOKEN_DEFAULTS } from './guardrail-defaults.js';
import type { QuantileDefaults } from './guardrail-defaults.js';
import type { WrittenCuts, WrittenQuantile } from './guardrail-schema.js';
import { perStep, refuseIdlePromote } from './promote-ladder.js';
import type { Problem } from './problem.js';
import { valueProblem } from './problem.js';
import type { CutsGuardrail, QuantileGuardrail } from './types.js';

/** Bucket width that histograms aim at (statistics: ten buckets to a factor of 1.2). */
const GAMMA_GOAL = 1.0184;

export function freezeQuantile(
  name: keyof typeof QUANTILE_DEFAULTS,
  written: WrittenQuantile,
  problems: Problem[],
): QuantileGuardrail {
  const defaults: QuantileDefaults = QUANTILE_DEFAULTS[name];
  const path = ['guardrails', name];
  const limit = written.limit ?? defaults.limit;
  const action = written.action ?? defaults.action;
  const { gamma, limitShift } = bucketsFor(limit);
  const ladder = written.promote === 'off' ? {} : (written.promote ?? {});
  const shifts = perStep((step) => {
    const ratio = ladder[step];
    if (ratio === undefined) return Math.round(TIME_POWERS[step] * limitShift);
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
    histogram: { gamma, xMin: TIME_X_MIN },
    limitShift,
    typicalEffect: defaults.typicalEffect,
    promote: action !== 'rollback' || written.promote === 'off' ? null : { shifts },
  };
}

export function freezeTokens(written: WrittenCuts): CutsGuardrail {
  const limit = written.limit ?? TOKEN_DEFAULTS.limit;
  const { gamma, limitShift } = bucketsFor(limit);
  return {
    kind: 'cuts',
    name: 'tokens_per_response',
    action: written.action ?? TOKEN_DEFAULTS.action,
    weight: written.weight ?? TOKEN_DEFAULTS.weight,
    signal: 'tokens',
    quantiles: [...TOKEN_DEFAULTS.quantiles],
    limit,
    histogram: { gamma, xMin: TOKENS_X_MIN },
    limitShift,
    typicalEffect: TOKEN_DEFAULTS.typicalEffect,
  };
}

/** The bucket width at which a limit is a whole number of buckets (method §4.1). */
function bucketsFor(limit: number): { readonly gamma: number; readonly limitShift: number } {
  const limitShift = Math.max(1, Math.round(Math.log(limit) / Math.log(GAMMA_GOAL)));
  return { gamma: limit ** (1 / limitShift), limitShift };
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

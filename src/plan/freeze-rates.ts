/** Freezes the guardrails that count events. */
import { RATE_DEFAULTS, SAMPLE_RATIO_DEFAULTS, TWO_SIDED_DEFAULTS } from './guardrail-defaults.js';
import type { RateDefaults } from './guardrail-defaults.js';
import type { WrittenRate, WrittenSampleRatio, WrittenTwoSided } from './guardrail-schema.js';
import { LADDER_STEPS, perStep, refuseIdlePromote } from './promote-ladder.js';
import type { Problem } from './problem.js';
import { valueProblem } from './problem.js';
import type { FeedbackGuardrail, GuardrailAction, RateGuardrail, SampleRatioGuardrail } from './types.js';

export function freezeRate(
  name: 'error_rate' | 'cache_hit_rate',
  written: WrittenRate,
  problems: Problem[],
): RateGuardrail {
  return { kind: 'rate', name, twoSided: false, ...ofBadEvents(name, written, problems) };
}

export function freezeFeedback(written: WrittenRate, problems: Problem[]): FeedbackGuardrail {
  return { kind: 'feedback', name: 'feedback', ...ofBadEvents('feedback', written, problems) };
}

export function freezeTwoSided(name: keyof typeof TWO_SIDED_DEFAULTS, written: WrittenTwoSided): RateGuardrail {
  const defaults = TWO_SIDED_DEFAULTS[name];
  return {
    kind: 'rate',
    name,
    action: written.action ?? defaults.action,
    weight: written.weight ?? defaults.weight,
    limit: written.limit ?? defaults.limit,
    twoSided: true,
    typicalEffect: defaults.typicalEffect,
    promote: null,
  };
}

export function freezeSampleRatio(written: WrittenSampleRatio): SampleRatioGuardrail {
  return {
    kind: 'sample-ratio',
    name: 'sample_ratio',
    action: written.action ?? SAMPLE_RATIO_DEFAULTS.action,
    // It shares no budget with others, so that its weight is whole.
    weight: 1,
    alpha: written.falseAlarm ?? SAMPLE_RATIO_DEFAULTS.alpha,
  };
}

function ofBadEvents(
  name: keyof typeof RATE_DEFAULTS,
  written: WrittenRate,
  problems: Problem[],
): Pick<RateGuardrail, 'action' | 'weight' | 'limit' | 'typicalEffect' | 'promote'> {
  const defaults: RateDefaults = RATE_DEFAULTS[name];
  const path = ['guardrails', name];
  const limit = written.limit ?? defaults.limit;
  const action = written.action ?? defaults.action;
  const ladder = written.promote === 'off' ? {} : (written.promote ?? {});
  const ratios = perStep((step) => Math.max(limit, ladder[step] ?? defaults.ladder[step]));
  for (const step of LADDER_STEPS) {
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
  const gates = isGate(defaults, action, written);
  if (!gates && action === 'rollback' && written.promote === undefined && written.margin !== undefined)
    problems.push({
      path: [...path, 'margin'],
      message: `${path.join('.')}.margin: without meaning, since ${name} gates only where "promote" is written. Write promote: {} beside it, or leave it out`,
    });
  return {
    action,
    weight: written.weight ?? defaults.weight,
    limit,
    typicalEffect: defaults.typicalEffect,
    promote: gates ? { ratios, absolute: written.margin ?? defaults.margin } : null,
  };
}

function isGate({ gates }: RateDefaults, action: GuardrailAction, { promote }: WrittenRate): boolean {
  if (action !== 'rollback' || promote === 'off') return false;
  return gates === 'always' || promote !== undefined;
}

/** From guardrails as written to frozen ones: defaults of the table, margins as bucket shifts, weights by family. */
import { GUARDRAILS_TO_COME, NOT_AVAILABLE } from './availability.js';
import { freezeFeedback, freezeRate, freezeSampleRatio, freezeTwoSided } from './freeze-rates.js';
import { freezeQuantile, freezeTokens } from './freeze-values.js';
import type { guardrailShape } from './guardrail-schema.js';
import type { WrittenPlan } from './plan-schema.js';
import type { Problem } from './problem.js';
import type { Guardrail, GuardrailName } from './types.js';

type Written = NonNullable<WrittenPlan['guardrails']>;
type Name = keyof typeof guardrailShape & GuardrailName;

/**
 * Freezes the guardrails of a plan whose every value is legal by itself. Each is on unless switched off.
 * @param toCome guardrails that this version cannot measure: off, and refused where the plan writes them
 */
export function freezeGuardrails(
  { guardrails: written = {} }: Pick<WrittenPlan, 'guardrails'>,
  toCome = GUARDRAILS_TO_COME,
): {
  guardrails: readonly Guardrail[];
  problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const guardrails: Guardrail[] = [];
  /** Freezes one that is on; `freeze` gets what is written of it. */
  const on = <Key extends Name>(name: Key, freeze: (settings: SettingsOf<Key>) => Guardrail): void => {
    const settings: Written[Key] = written[name];
    if (toCome.includes(name)) {
      if (settings !== undefined)
        problems.push({
          path: ['guardrails', name],
          message: `guardrails.${name}: ${NOT_AVAILABLE}. Leave it out`,
        });
    } else if (isOn(settings)) guardrails.push(freeze(settings));
  };
  on('error_rate', (settings) => freezeRate('error_rate', settings ?? {}, problems));
  for (const name of ['latency_p50', 'latency_p95', 'ttft_p50', 'ttft_p95'] as const)
    on(name, (settings) => freezeQuantile(name, settings ?? {}, problems));
  on('cache_hit_rate', (settings) => freezeRate('cache_hit_rate', settings ?? {}, problems));
  on('feedback', (settings) => freezeFeedback(settings ?? {}, problems));
  for (const name of ['refusal_rate', 'abort_rate', 'response_rate'] as const)
    on(name, (settings) => freezeTwoSided(name, settings ?? {}));
  on('tokens_per_response', (settings) => freezeTokens(settings ?? {}));
  on('sample_ratio', (settings) => freezeSampleRatio(settings ?? {}));
  if (!guardrails.some(({ action }) => action === 'rollback'))
    problems.push({
      path: ['guardrails'],
      message:
        'guardrails: none is left that rolls back. Leave at least one on with action: rollback, such as error_rate',
    });
  return { guardrails: withWeights(guardrails), problems };
}

type SettingsOf<Key extends Name> = Exclude<Written[Key], 'off'>;

function isOn<Settings>(settings: Settings | 'off'): settings is Exclude<Settings, 'off'> {
  return settings !== 'off';
}

/** Weights of each family scaled to sum 1; the sample ratio is in none. */
export function withWeights(guardrails: readonly Guardrail[]): readonly Guardrail[] {
  const sums = { rollback: 0, hold: 0, flag: 0 };
  for (const { kind, action, weight } of guardrails) if (kind !== 'sample-ratio') sums[action] += weight;
  return guardrails.map((guardrail) =>
    guardrail.kind === 'sample-ratio' ? guardrail : { ...guardrail, weight: guardrail.weight / sums[guardrail.action] },
  );
}

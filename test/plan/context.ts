/** What the tests of the plan freeze against: the upstreams and routes of a small `sluice.yaml`. */
import { resolveConfig } from '../../src/plan/config-file.js';
import type { SluiceConfig } from '../../src/plan/config.js';
import { parseSource } from '../../src/plan/document.js';
import { freezePlan } from '../../src/plan/freeze.js';
import { guardrailShape } from '../../src/plan/guardrail-schema.js';
import { DocumentError } from '../../src/plan/problem.js';
import type { FreezeContext } from '../../src/plan/freeze.js';
import type { Plan } from '../../src/plan/types.js';

export function configOf(text: string): SluiceConfig {
  return resolveConfig(parseSource(text, 'sluice.yaml', 'config-invalid'));
}

export const config = configOf(`
upstreams:
  llama-31: { url: http://127.0.0.1:8080/v1, model: llama-3.1-8b-instruct }
  llama-32: { url: http://127.0.0.1:8081/v1, model: llama-3.2-8b-instruct }
routes:
  support: { stable: llama-31 }
webhooks:
  releases: { urlEnv: RELEASES_WEBHOOK_URL, format: slack }
checks:
  evals: { command: [npm, run, evals] }
`);

export const context: FreezeContext = { config, stable: null };

/** Every guardrail switched off, for tests that are about a few. */
export const ALL_OFF = Object.fromEntries(Object.keys(guardrailShape).map((name) => [name, 'off']));

/** A plan for `support` with these keys beside route and candidate. */
export function planWith(keys: object): Plan {
  return freezePlan({ route: 'support', candidate: 'llama-32', ...keys }, context);
}

/** The error that `action` throws. */
export function errorOf(action: () => unknown): DocumentError {
  try {
    action();
  } catch (error) {
    if (error instanceof DocumentError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** Messages of the problems of a plan for `support` with these keys. */
export function problemsWith(keys: object): readonly string[] {
  return errorOf(() => planWith(keys)).problems.map(({ message }) => message);
}

/** Messages of the problems of a `sluice.yaml`. */
export function problemsOfConfig(text: string): readonly string[] {
  return errorOf(() => configOf(text)).problems.map(({ message }) => message);
}

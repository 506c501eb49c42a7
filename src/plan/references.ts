/** Names in a plan that must stand in `sluice.yaml`: looked up in the plan as written, so that they are reported with all else. */
import type { SluiceConfig } from './config.js';
import type { Path, Problem } from './problem.js';
import { valueProblem } from './problem.js';
import { valueAt } from './schema-problems.js';
import { suggestion } from './suggestion.js';

/** Problems of the names in a plan, written or frozen; values of another type are the schema's business. */
export function referenceProblems(
  written: unknown,
  config: SluiceConfig | null,
  stable: string | null,
): readonly Problem[] {
  return [
    ...routeProblems(written, config, stable),
    ...candidateProblems(written, config, stable),
    ...(config === null ? [] : namesOfLists(written, config)),
  ];
}

function routeProblems(written: unknown, config: SluiceConfig | null, stable: string | null): readonly Problem[] {
  const path = ['route'];
  const route = valueAt(written, path);
  if (typeof route !== 'string') return [];
  if (config === null)
    return stable === null
      ? [
          valueProblem(
            path,
            route,
            'its stable upstream is not known without a sluice.yaml. Name the file with --config',
            'route-unknown',
          ),
        ]
      : [];
  const known = [...config.routes.keys()];
  return known.some((name) => name === route)
    ? []
    : [valueProblem(path, route, `no route of sluice.yaml. ${suggestion(route, known)}`, 'route-unknown')];
}

function candidateProblems(written: unknown, config: SluiceConfig | null, stable: string | null): readonly Problem[] {
  const path = ['candidate'];
  const candidate = valueAt(written, path);
  if (typeof candidate !== 'string') return [];
  const route = valueAt(written, ['route']);
  const known = config === null ? null : [...config.upstreams.keys()];
  if (known !== null && !known.some((name) => name === candidate))
    return [
      valueProblem(path, candidate, `no upstream of sluice.yaml. ${suggestion(candidate, known)}`, 'candidate-unknown'),
    ];
  const configured = [...(config?.routes.values() ?? [])].find(({ name }) => name === route)?.stable ?? null;
  if (candidate !== (stable ?? configured)) return [];
  const others = (known ?? []).filter((name) => name !== candidate);
  const fix = others.length === 0 ? 'Name another upstream' : suggestion(null, others);
  return [valueProblem(path, candidate, `the stable upstream of route ${String(route)} already. ${fix}`)];
}

function namesOfLists(written: unknown, config: SluiceConfig): readonly Problem[] {
  const webhooks = [...config.webhooks.keys()];
  const checks = [...config.checks.keys()];
  const notify = valueAt(written, ['notify']);
  return [
    ...(typeof notify === 'string'
      ? unknownName(['notify'], notify, 'webhook', webhooks)
      : listProblems(written, ['notify'], 'webhook', webhooks)),
    ...placesOfChecks(written).flatMap((path) => listProblems(written, path, 'check', checks)),
  ];
}

function placesOfChecks(written: unknown): readonly Path[] {
  const stages = valueAt(written, ['stages']);
  const overrides = valueAt(written, ['overrides']);
  return [
    ...(Array.isArray(stages) ? stages.map((_, index) => ['stages', index, 'checks']) : []),
    ['defaults', 'checks'],
    ...(typeof overrides === 'object' && overrides !== null
      ? Object.keys(overrides).map((name) => ['overrides', name, 'checks'])
      : []),
  ];
}

function listProblems(written: unknown, path: Path, what: string, known: readonly string[]): readonly Problem[] {
  const names = valueAt(written, path);
  if (!Array.isArray(names)) return [];
  return names.flatMap((name: unknown, index) =>
    typeof name === 'string' ? unknownName([...path, index], name, what, known) : [],
  );
}

function unknownName(path: Path, name: string, what: string, known: readonly string[]): readonly Problem[] {
  return known.includes(name)
    ? []
    : [valueProblem(path, name, `no ${what} of sluice.yaml. ${suggestion(name, known)}`)];
}

/** Freezing: from a plan as people write it to the plain, complete plan that a rollout runs by. */
import type { SluiceConfig } from './config.js';
import { digestOf } from './digest.js';
import { freezeAb } from './freeze-ab.js';
import { freezeGuardrails } from './freeze-guardrails.js';
import { freezeStages } from './freeze-stages.js';
import { frozenPlan } from './frozen-schema.js';
import type { UpstreamName } from './ids.js';
import { writtenPlan } from './plan-schema.js';
import type { WrittenPlan } from './plan-schema.js';
import type { PositionOf, Problem } from './problem.js';
import { documentError, valueProblem } from './problem.js';
import { referenceProblems } from './references.js';
import { check, valueAt } from './schema-problems.js';
import type { Plan } from './types.js';

const DEFAULT_ERROR_BUDGET = 0.05;
const DEFAULT_REQUEST_TIMEOUT_MS = 300_000;
const DEFAULT_LEASE_MS = 900_000;

export interface FreezeContext {
  /** What the plan's names refer to; null = none at hand, and then `stable` has to be known. */
  readonly config: SluiceConfig | null;
  /** What the ledger says is stable on the route, which overrides `sluice.yaml`; null = it says nothing. */
  readonly stable: UpstreamName | null;
  /** File for the first words of each error; the plan came from elsewhere when absent. */
  readonly sourcePath?: string;
  /** Places of the file's keys, of `parsePlanFile`. */
  readonly positionOf?: PositionOf;
}

/**
 * Freezes a plan: every default resolved, durations in ms, shares as fractions. Plain JSON; the same plan gives the same
 * digest. A plan that is frozen already is checked again, digest included, and returned as it is.
 * @throws DocumentError (a SluiceError) with every problem of the plan; `route-unknown` or `candidate-unknown` when that
 *   is all there is, else `plan-invalid`
 */
export function freezePlan(written: unknown, context: FreezeContext): Plan {
  const result = isFrozen(written) ? checkFrozen(written, context) : freezeWritten(written, context);
  if (Array.isArray(result))
    throw documentError(result, {
      fallback: 'plan-invalid',
      what: 'the plan',
      sourcePath: context.sourcePath ?? null,
      positionOf: context.positionOf ?? null,
    });
  return result;
}

function isFrozen(written: unknown): boolean {
  return valueAt(written, ['version']) !== undefined && valueAt(written, ['digest']) !== undefined;
}

function freezeWritten(written: unknown, context: FreezeContext): Plan | Problem[] {
  const problems = [...referenceProblems(written, context.config, context.stable)];
  const checked = check(writtenPlan, written);
  if (!checked.ok) return [...checked.problems, ...problems];
  const { preset, stages, problems: ofStages } = freezeStages(checked.value);
  const { guardrails, problems: ofGuardrails } = freezeGuardrails(checked.value);
  const { ab, problems: ofAb } = freezeAb(checked.value, stages, guardrails);
  problems.push(...ofStages, ...ofGuardrails, ...ofAb);
  const stable = context.stable ?? context.config?.routes.get(checked.value.route)?.stable;
  if (problems.length > 0 || stable === undefined) return problems;
  const plan: Omit<Plan, 'digest'> = {
    version: 1,
    route: checked.value.route,
    stable,
    candidate: checked.value.candidate,
    preset,
    stages,
    guardrails,
    ...budgets(checked.value),
    requestTimeoutMs: checked.value.requestTimeout ?? DEFAULT_REQUEST_TIMEOUT_MS,
    lease: {
      seconds: (checked.value.lease ?? DEFAULT_LEASE_MS) / 1000,
      onExpiry: checked.value.onLeaseExpiry ?? 'stable',
    },
    ab,
    notify: checked.value.notify ?? [],
  };
  return { ...plan, digest: digestOf(plan) };
}

function budgets(plan: WrittenPlan): Pick<Plan, 'falseRollback' | 'falseHold' | 'falseFlag' | 'falsePromote'> {
  return {
    falseRollback: plan.falseRollback ?? DEFAULT_ERROR_BUDGET,
    falseHold: plan.falseHold ?? DEFAULT_ERROR_BUDGET,
    falseFlag: plan.falseFlag ?? DEFAULT_ERROR_BUDGET,
    falsePromote: plan.falsePromote ?? DEFAULT_ERROR_BUDGET,
  };
}

function checkFrozen(written: unknown, context: FreezeContext): Plan | Problem[] {
  const checked = check(frozenPlan, written);
  if (!checked.ok) return [...checked.problems];
  const { digest, ...plan } = checked.value;
  if (digestOf(plan) !== digest)
    return [
      valueProblem(
        ['digest'],
        digest,
        'the digest of another plan: this one was changed after it had been frozen. Start from the plan file',
      ),
    ];
  const stable = context.stable ?? context.config?.routes.get(plan.route)?.stable ?? plan.stable;
  if (stable !== plan.stable)
    return [
      valueProblem(
        ['stable'],
        plan.stable,
        `no longer the stable upstream of route ${plan.route}, which is ${stable}. Start from the plan file`,
      ),
    ];
  const problems = referenceProblems(plan, context.config, stable);
  return problems.length > 0 ? [...problems] : checked.value;
}

import type { Crossing } from '../../evidence/look.js';
import type { StageName } from '../../plan/ids.js';
import type { GuardrailAction, GuardrailName, Plan } from '../../plan/types.js';
import { closedTest } from '../closed-test.js';
import { familyLogE } from '../family-average.js';
import { AssessmentError } from './assessment-error.js';
import type { GuardrailTracker } from './guardrail-tracker.js';

/** Weights in a plan are rounded decimals; this much is rounding, more is a mistake. */
const WEIGHT_TOLERANCE = 1e-9;

const ACTIONS = ['rollback', 'hold', 'flag'] as const satisfies readonly GuardrailAction[];

/** Where the rollout stands when a family is looked at. */
export interface Moment {
  readonly stage: StageName;
  readonly intervalEnd: number;
  /** Candidate requests of the rollout up to here. */
  readonly requests: number;
}

/** The state of the families as plain data. */
export interface FamiliesSnapshot {
  /** Every crossing in order: the first of each family, and later ones that name further guardrails. */
  readonly breaches: readonly Crossing[];
}

interface Family {
  readonly action: GuardrailAction;
  /** Shares its action's error rate among its members; else it is the sample ratio, which alarms on its own. */
  readonly shared: boolean;
  readonly alpha: number;
  readonly trackers: readonly GuardrailTracker[];
  readonly weights: readonly number[];
}

/**
 * The families of guardrails by action, each with its own error rate: the weighted average of *current* e-values crosses
 * at 1/α, the closed test names who is to blame, and what was crossed or named stays so. The sample ratio is a family by
 * itself. Source: method §10.1, §10.2, §10.5.
 */
export class Families {
  private readonly families: readonly Family[];
  private readonly latched: Crossing[];

  /** Throws `plan-invalid` unless the weights of each family sum to 1. */
  constructor(plan: Plan, trackers: readonly GuardrailTracker[], from?: FamiliesSnapshot) {
    const alphas = { rollback: plan.falseRollback, hold: plan.falseHold, flag: plan.falseFlag };
    // In the order in which what crosses at one interval end is told: the sample ratio before the metrics that hold.
    this.families = ACTIONS.flatMap((action) => {
      const families: Family[] = [];
      const members: GuardrailTracker[] = [];
      for (const tracker of trackers.filter(({ guardrail }) => guardrail.action === action)) {
        const { guardrail } = tracker;
        if (guardrail.kind !== 'sample-ratio') members.push(tracker);
        else families.push({ action, shared: false, alpha: guardrail.alpha, trackers: [tracker], weights: [1] });
      }
      if (members.length === 0) return families;
      const weights = weightsOf(action, members);
      return [...families, { action, shared: true, alpha: alphas[action], trackers: members, weights }];
    });
    this.latched = from ? from.breaches.map((crossing) => ({ ...crossing })) : [];
  }

  /** Every crossing so far, in order. */
  get breaches(): readonly Crossing[] {
    return this.latched;
  }

  /** The first crossing towards each action. */
  get crossings(): Readonly<Record<GuardrailAction, Crossing | null>> {
    const first = (action: GuardrailAction): Crossing | null =>
      this.latched.find(({ family }) => family === action) ?? null;
    return { rollback: first('rollback'), hold: first('hold'), flag: first('flag') };
  }

  /** The crossing that made a guardrail breach; it is breached for good. */
  breachOf(name: GuardrailName): Crossing | null {
    return this.latched.find(({ guardrails }) => guardrails.includes(name)) ?? null;
  }

  /** ln of the average of the guardrails that share an action's error rate, and of the bound 1/α it crosses at. Nats. */
  standing(action: GuardrailAction): { readonly logE: number; readonly bound: number } | null {
    const family = this.families.find((one) => one.action === action && one.shared);
    return family ? { logE: averageOf(family), bound: -Math.log(family.alpha) } : null;
  }

  /** Looks at every family once an interval end has been used, and latches what crosses. */
  check(moment: Moment): void {
    for (const family of this.families) {
      const logE = averageOf(family);
      if (logE < -Math.log(family.alpha)) continue;
      const { named, leading } = closedTest(
        family.trackers.map((tracker) => tracker.logBreach()),
        family.weights,
        family.alpha,
      );
      const isFirst = family.trackers.every(({ guardrail }) => this.breachOf(guardrail.name) === null);
      const culprits = named.length === 0 && isFirst ? [leading] : named;
      const guardrails = culprits
        .flatMap((index) => family.trackers[index]?.guardrail.name ?? [])
        .filter((name) => this.breachOf(name) === null);
      if (guardrails.length === 0) continue;
      this.latched.push({ family: family.action, guardrails, named: named.length > 0, ...moment, logE });
    }
  }

  snapshot(): FamiliesSnapshot {
    return { breaches: this.latched.map((crossing) => ({ ...crossing, guardrails: [...crossing.guardrails] })) };
  }
}

function averageOf({ trackers, weights }: Family): number {
  return familyLogE(
    trackers.map((tracker) => tracker.logBreach()),
    weights,
  );
}

function weightsOf(action: GuardrailAction, members: readonly GuardrailTracker[]): readonly number[] {
  const weights = members.map(({ guardrail }) => guardrail.weight);
  const sum = weights.reduce((total, weight) => total + weight, 0);
  if (!(Math.abs(sum - 1) <= WEIGHT_TOLERANCE) || weights.some((weight) => !(weight > 0))) {
    throw new AssessmentError(
      'plan-invalid',
      `weights of the ${action} guardrails (${members.map(({ guardrail }) => guardrail.name).join(', ')}) are ` +
        `${weights.join(', ')}: they must be positive and sum to 1, not ${sum}; freeze the plan again`,
    );
  }
  return weights.map((weight) => weight / sum);
}

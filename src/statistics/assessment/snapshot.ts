import type { GuardrailName, Plan } from '../../plan/types.js';
import type { AbSnapshot } from './ab-tracker.js';
import { AssessmentError } from './assessment-error.js';
import type { FamiliesSnapshot } from './families.js';
import type { TrackerSnapshot } from './guardrail-tracker.js';
import type { StageCounts } from './stage-counts.js';

/** Raised when the state's meaning changes; an older snapshot is then rebuilt from the ledger. */
export const SNAPSHOT_VERSION = 2;

/** An assessment's whole state as JSON: restored, it goes on to the same digits. */
export interface AssessmentSnapshot {
  readonly version: typeof SNAPSHOT_VERSION;
  /** Digest of the plan that it belongs to. */
  readonly plan: string;
  readonly rollout: string | null;
  readonly closedThrough: number;
  readonly stages: readonly StageCounts[];
  readonly guardrails: Readonly<Partial<Record<GuardrailName, TrackerSnapshot>>>;
  readonly families: FamiliesSnapshot;
  /** Null for a plan without an ab stage. */
  readonly ab: AbSnapshot | null;
}

/**
 * Takes parsed JSON for a snapshot of a plan. Throws `evidence-invalid` when it is none: of another version or plan,
 * without its parts, or with a number that JSON could not carry. The next step is always to rebuild from the ledger.
 */
export function requireSnapshot(value: unknown, plan: Plan): AssessmentSnapshot {
  if (isSnapshot(value, plan) && isFiniteTree(value)) return value;
  throw new AssessmentError(
    'evidence-invalid',
    `this is no assessment snapshot (version ${SNAPSHOT_VERSION}) of plan ${plan.digest}; rebuild it from the ledger`,
  );
}

function isSnapshot(value: unknown, plan: Plan): value is AssessmentSnapshot {
  return (
    isRecord(value) &&
    value['version'] === SNAPSHOT_VERSION &&
    value['plan'] === plan.digest &&
    typeof value['closedThrough'] === 'number' &&
    Array.isArray(value['stages']) &&
    value['stages'].length === plan.stages.length &&
    isRecord(value['families']) &&
    (plan.ab ? isRecord(value['ab']) : (value['ab'] ?? null) === null) &&
    isRecord(value['guardrails']) &&
    hasTrackers(value['guardrails'], plan)
  );
}

function hasTrackers(trackers: Readonly<Record<string, unknown>>, plan: Plan): boolean {
  return plan.guardrails.every(({ name, kind }) => {
    const tracker = trackers[name];
    return isRecord(tracker) && tracker['kind'] === kind;
  });
}

function isFiniteTree(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value);
  if (Array.isArray(value)) return value.every((element) => isFiniteTree(element));
  return isRecord(value) ? Object.values(value).every((element) => isFiniteTree(element)) : true;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Looks and findings for the tests of the pipeline. */
import type { AbReading, Crossing, GuardrailStatus, Look } from '../../src/evidence/look.js';
import { rolloutId, stageName } from '../../src/plan/ids.js';
import type { GuardrailAction, GuardrailName } from '../../src/plan/types.js';

export function guardrail(more: Partial<GuardrailStatus> = {}): GuardrailStatus {
  return {
    verdict: 'safe',
    why: 'odds ratio 0.98, at most 1.04',
    action: 'rollback',
    logE: { breach: -2, safe: 3.5 },
    stable: 0.01,
    candidate: 0.0098,
    ratio: 0.98,
    interval: [0.9, 1.04],
    n: { stable: 95_000, candidate: 5_000 },
    needs: null,
    ...more,
  };
}

export function look(more: Partial<Look> = {}): Look {
  return {
    id: 'support@2026-11-24T09:00:00Z/canary-5/1',
    rollout: rolloutId('support@2026-11-24T09:00:00Z'),
    at: 0,
    why: 'scheduled',
    stage: stageName('canary-5'),
    position: { closedThrough: 0 },
    guardrails: { error_rate: guardrail(), refusal_rate: guardrail({ action: 'hold', verdict: 'undecided' }) },
    crossings: { rollback: null, hold: null, flag: null },
    promote: { open: true, waiting: [] },
    requests: { stable: 95_000, candidate: 5_000 },
    incompleteShare: 0,
    lateShare: 0,
    dominance: null,
    ab: null,
    ...more,
  };
}

/** A look whose promote gates are closed. */
export function undecided(more: Partial<Look> = {}): Look {
  return look({
    guardrails: { error_rate: guardrail({ verdict: 'undecided', why: 'needs 300 more requests' }) },
    promote: { open: false, waiting: [{ guardrail: 'error_rate', why: 'needs 300 more requests' }] },
    ...more,
  });
}

/** A look of an ab stage that has found this on error_rate. */
export function abLook(finding: AbReading['finding'], more: Partial<Look> = {}): Look {
  const isOpen = finding !== 'undecided';
  const why = `${finding} by the numbers`;
  return look({
    requests: { stable: 5_000, candidate: 5_000 },
    promote: { open: isOpen, waiting: isOpen ? [] : [{ guardrail: 'error_rate', why }] },
    ab: { primary: 'error_rate', finding, logE: { worse: 0, better: 0, inside: 0 }, why },
    ...more,
  });
}

export function crossing(family: GuardrailAction, ...guardrails: readonly GuardrailName[]): Crossing {
  return {
    family,
    guardrails,
    named: true,
    stage: stageName('canary-5'),
    intervalEnd: 60_000,
    logE: 3.2,
    requests: 1_234,
  };
}

import type { StagePlan } from '../../src/plan/types.js';
import type { Situation } from '../../workflows/decide.js';
import { look } from './looks.js';
import { HOUR, stagePlan } from './plans.js';

/** A running stage of an hour, five minutes in, with evidence that would let it pass. */
export function situation(more: Partial<Situation> = {}, stage: Partial<StagePlan> = {}): Situation {
  return {
    stage: stagePlan('canary-5', { durationMs: HOUR, maxDurationMs: 2 * HOUR, ...stage }),
    evidence: 'ok',
    evidenceDetail: '',
    look: look(),
    elapsedMs: 300_000,
    deadlineMs: HOUR,
    fresh: true,
    approval: null,
    winner: 'recommend',
    heard: [],
    crossing: null,
    hardStop: null,
    guardrails: ['error_rate', 'refusal_rate', 'abort_rate', 'response_rate'],
    control: 'running',
    ramp: true,
    promoteToEnd: false,
    current: true,
    known: [],
    flagged: [],
    outside: [],
    ...more,
  };
}

import { rolloutId, routeName, stageName, upstreamName } from '../../src/plan/ids.js';
import type { RolloutStatus } from '../../src/plan/status.js';

/** A rollout in its second stage, one day after its start. */
export function statusFixture(): RolloutStatus {
  return {
    route: routeName('support'),
    rollout: rolloutId('support@2026-11-16T10:00:00Z'),
    state: 'running',
    evidence: 'ok',
    stage: {
      name: stageName('canary-5'),
      kind: 'canary',
      index: 1,
      share: 0.05,
      startedAt: Date.parse('2026-11-23T10:00:00Z'),
      endsAt: Date.parse('2026-11-30T10:00:00Z'),
    },
    split: {
      generation: 2,
      weights: { stable: 0.95, candidate: 0.05 },
      mirror: { variant: 'candidate', share: 0 },
      upstreams: { stable: upstreamName('llama-31'), candidate: upstreamName('llama-32') },
    },
    guardrails: {
      error_rate: {
        verdict: 'undecided',
        why: 'errors 1.1% against 1.0%',
        action: 'rollback',
        logE: { breach: Math.log(0.3), safe: Math.log(12) },
        stable: 0.01,
        candidate: 0.011,
        ratio: 1.1,
        interval: [0.5, 2.1],
        n: { stable: 9_500, candidate: 500 },
        needs: { requests: 1_000, seconds: 60 },
      },
    },
    flags: [],
    hold: null,
    gates: [{ kind: 'time', open: false, why: '6d left' }],
    decisions: [],
    outstanding: [],
    outcome: null,
  };
}

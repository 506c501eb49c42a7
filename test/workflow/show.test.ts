import { expect, it } from 'vitest';
import { stageName, upstreamName } from '../../src/plan/ids.js';
import { details } from '../../workflows/show.js';
import { statusOf } from '../../workflows/status.js';
import { abLook, guardrail, look } from './looks.js';
import { planOf } from './plans.js';
import { rolloutState } from './states.js';

it('tells the whole story as Markdown', () => {
  const began = Date.UTC(2026, 10, 24, 9);
  const state = rolloutState({
    clock: { startedAt: began, elapsedMs: 0, runningSince: began },
    evidence: 'router-not-converged',
    evidenceDetail: 'router-2 holds 5',
    look: look({
      guardrails: {
        error_rate: guardrail({ verdict: 'undecided', why: 'needs 300 | more', interval: [0.9, null], ratio: null }),
        refusal_rate: guardrail({ action: 'hold', stable: null, candidate: 0.123_456, interval: [null, 1.04] }),
      },
    }),
    gates: [
      { kind: 'time', open: true, why: 'its 1 h are over' },
      { kind: 'evidence', open: false, why: 'error_rate: needs 300 more requests' },
    ],
    flags: ['no-way-back: llama-31 is not ready'],
    split: {
      generation: 7,
      rollout: null,
      stage: stageName('canary-5'),
      weights: { stable: 0.95, candidate: 0.05 },
      upstreams: { stable: upstreamName('llama-31'), candidate: upstreamName('llama-32') },
      mirror: { variant: 'stable', share: 0.1 },
      salt: '',
      lease: null,
      metering: {
        intervalMs: 1_000,
        warmupMs: 0,
        requestTimeoutMs: 0,
        feedbackHorizonMs: 0,
        histograms: {},
        strata: [],
      },
    },
  });
  expect(details(statusOf(state), state.evidenceDetail)).toBe(`**support@2026-11-24T09:00:00Z**: llama-31 → llama-32

|  |  |
| --- | --- |
| state | running |
| stage | canary-5 (1), since 2026-11-24 09:00:00 UTC, its time ends 2026-11-24 10:00:00 UTC |
| split | 5% candidate, 10% mirrored to stable (generation 7) |
| evidence | router-not-converged: router-2 holds 5 |
| next gate | evidence: error_rate: needs 300 more requests |

| guardrail | verdict | odds ratio | stable | candidate | requests | why |
| --- | --- | --- | --- | --- | --- | --- |
| error_rate | undecided | 0.9 to ∞ | 0.01 | 0.0098 | 95000 / 5000 | needs 300 \\| more |
| refusal_rate | safe (hold) | 0 to 1.04 | – | 0.123 | 95000 / 5000 | odds ratio 0.98, at most 1.04 |

- no-way-back: llama-31 is not ready
`);
});

it('says what is not confirmed and how it ended', () => {
  const state = rolloutState({
    outstanding: ['http://router-2:8701'],
    outcome: {
      state: 'rolled-back',
      at: 0,
      stage: stageName('canary-5'),
      reason: 'error_rate has crossed',
      guardrails: ['error_rate'],
      evidence: null,
      by: 'sluice',
    },
  });
  const said = details(statusOf(state), '');
  expect(said).toContain('| state | rolled-back |');
  expect(said).toContain('| not confirmed | http://router-2:8701 |');
  expect(said).toContain('| outcome | rolled-back: error_rate has crossed |');
});

it('tells what an A/B stage has found', () => {
  const [first] = rolloutState().plan.stages;
  if (first === undefined) throw new Error('no stage');
  const plan = planOf([{ ...first, kind: 'ab' }], { ab: { primary: 'error_rate', winner: 'recommend' } });
  const decided = statusOf(rolloutState({ plan, look: abLook('no-difference') }));
  expect(details(decided, '')).toContain('| A/B | no-difference by the numbers |');
  expect(decided.ab?.finding).toBe('no-difference');
  expect(details(statusOf(rolloutState({ plan })), '')).not.toContain('A/B');
  expect(statusOf(rolloutState({ look: look() }))).not.toHaveProperty('ab');
});

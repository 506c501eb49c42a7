import { describe, expect, it } from 'vitest';
import { stageName } from '../../src/plan/ids.js';
import { refusalOf } from '../../workflows/refusal.js';
import type { CommandName, RolloutState } from '../../workflows/state.js';
import { by } from './harness.js';
import { rolloutState } from './states.js';

const held = { control: 'held', hold: { reason: 'refusal_rate: 8%', since: 0, guardrails: [] } } as const;
const approved = { approval: { by: 'ann', reason: 'seen it' } } as const;
const ended = (state: 'promoted' | 'rolled-back'): Partial<RolloutState> => ({
  outcome: { state, at: 0, stage: stageName('canary-50'), reason: '', guardrails: [], evidence: null, by: 'ann' },
});
const rollingBack = {
  outstanding: ['http://router-2:8701'],
  rollingBack: { by: 'ann', reason: '', guardrails: [], look: null, ends: 'rolled-back', since: 0 },
} as const;

type Row = readonly [when: string, state: Partial<RolloutState>, name: CommandName, refused: RegExp];

/** An empty text: it applies. */
const table: readonly Row[] = [
  ['running', {}, 'pause', /^$/],
  ['running', {}, 'resume', /canary-5 is running: there is nothing to resume/],
  ['running', {}, 'promote', /^$/],
  ['running', {}, 'rollback', /^$/],
  [
    'paused',
    { control: 'paused', stoppedSince: 0 },
    'pause',
    /canary-5 is paused already since 1970-01-01 00:00:00 UTC; resume/,
  ],
  ['paused', { control: 'paused' }, 'resume', /^$/],
  ['paused', { control: 'paused', ...approved }, 'promote', /^$/],
  ['held', held, 'pause', /canary-5 is held already: refusal_rate: 8%; resume or promote/],
  ['held', held, 'resume', /^$/],
  ['held', held, 'promote', /^$/],
  ['promoted already', approved, 'promote', /promotion of canary-5 was asked by ann already and waits/],
  ['kept', { kept: true }, 'promote', /the pipeline keeps canary-5/],
  ['kept', { kept: true }, 'pause', /^$/],
  ['at the end of its promotion', { finishing: approved.approval }, 'promote', /the last stage has passed/],
  ['at the end of its promotion', { finishing: approved.approval }, 'rollback', /^$/],
  [
    'rolling back',
    rollingBack,
    'promote',
    /cannot promote: .* rolling back already, asked by ann .* not confirmed yet: http:\/\/router-2/,
  ],
  ['rolling back', rollingBack, 'rollback', /cannot rollback: .* it ends by itself/],
  [
    'promoted',
    ended('promoted'),
    'rollback',
    /has ended at canary-50, promoted; support rests on its new upstream; to go back, start a rollout to llama-31/,
  ],
  [
    'rolled back',
    ended('rolled-back'),
    'promote',
    /rolled-back; support rests on llama-31; start a rollout to try again/,
  ],
];

describe('refusalOf', () => {
  it.each(table.map(([when, state, name, refused]) => ({ when, state, name, refused })))('$when: $name', (row) => {
    const { state, name, refused } = row;
    expect(refusalOf(rolloutState(state), name, by('bob'))?.message ?? '').toMatch(refused);
  });

  it('takes a promotion to the end over one to the next stage, and from a kept stage', () => {
    expect(refusalOf(rolloutState(approved), 'promote', by('bob', { to: 'end' }))).toBeNull();
    expect(refusalOf(rolloutState({ kept: true }), 'promote', by('bob', { to: 'end' }))).toBeNull();
    const toEnd = rolloutState({ ...approved, promoteToEnd: true });
    expect(refusalOf(toEnd, 'promote', by('bob', { to: 'end' }))?.code).toBe('not-applicable');
  });

  it.each(['pause', 'resume', 'promote', 'rollback'] as const)('compares the stage of %s', (name) => {
    expect(refusalOf(rolloutState(held), name, by('bob', { stage: 'canary-50' }))).toEqual({
      code: 'stage-mismatch',
      message:
        'the rollout is at stage "canary-5" (1 of 2), not "canary-50": look at its status, then send stage "canary-5"',
    });
  });
});

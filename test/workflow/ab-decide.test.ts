import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AbReading, EvidenceState } from '../../src/evidence/look.js';
import type { StagePlan } from '../../src/plan/types.js';
import { decide } from '../../workflows/decide.js';
import type { Action, Situation } from '../../workflows/decide.js';
import { gatesOf } from '../../workflows/gates.js';
import { nextReturn } from '../../workflows/next-return.js';
import { abLook, crossing, look } from './looks.js';
import { HOUR, planOf, stagePlan } from './plans.js';
import { situation } from './situations.js';
import { rolloutState } from './states.js';

const ab: Partial<StagePlan> = { kind: 'ab', onUndecided: 'hold', weights: { stable: 0.5, candidate: 0.5 } };
const over = { elapsedMs: HOUR };
const approval = { by: 'ann', reason: 'cheaper' };
const act = { winner: 'act' } as const;

type Row = readonly [when: string, at: Partial<Situation>, then: Action['kind'], stage?: Partial<StagePlan>];

const table: readonly Row[] = [
  ['nothing is decided', { look: abLook('undecided') }, 'wait'],
  ['nobody has looked', { look: null }, 'wait'],
  ['the candidate is better, long before its time is over', { ...act, look: abLook('candidate-better') }, 'advance'],
  ['stable is better', { ...act, look: abLook('stable-better') }, 'rollback'],
  ['there is no difference', { ...act, look: abLook('no-difference') }, 'hold'],
  ['the candidate is better, a person decides', { look: abLook('candidate-better') }, 'hold'],
  ['stable is better, a person decides', { look: abLook('stable-better') }, 'hold'],
  ['there is no difference, a person decides', { look: abLook('no-difference') }, 'hold'],

  ['a person has heard of it', { look: abLook('stable-better'), heard: ['stable-better'] }, 'wait'],
  [
    'a person has heard of it, the plan acts',
    { ...act, look: abLook('no-difference'), heard: ['no-difference'] },
    'wait',
  ],
  [
    'a person has heard of another finding',
    { ...act, look: abLook('candidate-better'), heard: ['no-difference'] },
    'advance',
  ],
  [
    'a person has heard of it, and time is over',
    { ...over, look: abLook('stable-better'), heard: ['stable-better'] },
    'hold',
  ],
  [
    'a person has heard of it, time is over, and undecided would advance',
    { ...over, look: abLook('stable-better'), heard: ['stable-better'] },
    'hold',
    { onUndecided: 'advance' },
  ],
  ['a person promotes all the same', { ...act, approval, look: abLook('stable-better') }, 'advance'],
  ['a person promotes before anything is decided', { approval, look: abLook('undecided') }, 'advance'],

  ['the look is from before a wait', { ...act, look: abLook('stable-better'), current: false }, 'look'],
  [
    'the look of the winner is from before a wait',
    { ...act, look: abLook('candidate-better'), current: false },
    'look',
  ],
  ['evidence is not fresh', { ...act, look: abLook('stable-better'), fresh: false }, 'wait'],
  ['there is no evidence just now', { ...act, look: abLook('candidate-better'), evidence: 'no-traffic' }, 'wait'],
  ['intervals are incomplete', { ...act, look: abLook('stable-better', { incompleteShare: 0.2 }) }, 'wait'],
  ['requests came late', { look: abLook('no-difference', { lateShare: 0.2 }) }, 'wait'],
  ['paused', { ...act, look: abLook('stable-better'), control: 'paused' }, 'wait'],
  ['held', { ...act, look: abLook('stable-better'), control: 'held' }, 'wait'],
  ['kept by the pipeline', { ...act, look: abLook('stable-better'), ramp: false }, 'wait'],

  ['a manual gate waits for a person', { ...act, look: abLook('candidate-better') }, 'wait', { gate: 'manual' }],
  [
    'a manual gate keeps nobody from going back',
    { ...act, look: abLook('stable-better') },
    'rollback',
    { gate: 'manual' },
  ],
  ['window and checks are asked', { ...act, look: abLook('candidate-better'), outside: null }, 'ask-outside'],
  [
    'the window is closed',
    { ...act, look: abLook('candidate-better'), outside: [{ kind: 'window', open: false, why: 'until Monday' }] },
    'wait',
  ],

  ['undecided at its deadline', { ...over, look: abLook('undecided') }, 'hold'],
  [
    'undecided at its deadline, the plan advances',
    { ...over, look: abLook('undecided') },
    'advance',
    { onUndecided: 'advance' },
  ],
  [
    'undecided, and extended',
    { ...over, deadlineMs: 2 * HOUR, look: abLook('undecided') },
    'wait',
    { onUndecided: 'extend' },
  ],
  [
    'too few requests at its deadline',
    { ...over, look: abLook('undecided', { requests: { stable: 9, candidate: 9 } }) },
    'hold',
  ],
  [
    'decided on too few requests',
    { ...act, look: abLook('candidate-better', { promote: { open: false, waiting: [] } }) },
    'wait',
  ],

  [
    'a rollback guardrail crosses',
    { look: abLook('candidate-better'), crossing: crossing('rollback', 'error_rate') },
    'rollback',
  ],
  [
    'a hold guardrail crosses',
    { ...act, look: abLook('candidate-better'), crossing: crossing('hold', 'refusal_rate') },
    'hold',
  ],
];

describe('decide, in an ab stage', () => {
  it.each(table.map(([when, at, kind, plan]) => ({ when, at, kind, plan })))('$when', ({ at, kind, plan }) => {
    expect(decide(situation(at, { ...ab, ...plan })).kind).toBe(kind);
  });

  it('names what it found, what it recommends and what a person heard', () => {
    expect(decide(situation({ look: abLook('stable-better') }, ab))).toEqual({
      kind: 'hold',
      reason: 'ab: stable-better by the numbers; recommended: roll back',
      guardrails: [],
      finding: 'stable-better',
    });
    expect(decide(situation({ ...act, look: abLook('no-difference') }, ab))).toMatchObject({
      reason: 'ab: no-difference by the numbers; promote or roll back is a choice of cost, not of quality',
    });
    expect(decide(situation({ ...act, look: abLook('stable-better') }, ab))).toEqual({
      kind: 'rollback',
      why: 'ab',
      reason: 'ab: stable-better by the numbers',
      guardrails: ['error_rate'],
    });
    const overdue = { ...over, look: abLook('undecided') };
    expect(decide(situation(overdue, ab))).toMatchObject({
      reason: '1 h of canary-5 are over and the evidence is undecided: error_rate: undecided by the numbers',
    });
    const heard = { ...over, look: abLook('stable-better'), heard: ['stable-better'] } as const;
    expect(decide(situation(heard, ab))).toMatchObject({
      reason: '1 h of canary-5 are over: ab: stable-better by the numbers; recommended: roll back',
    });
  });

  it('has no gate of time', () => {
    expect(gatesOf(situation({ look: abLook('undecided') }, ab)).map(({ kind }) => kind)).toEqual(['evidence']);
  });
});

const findings: readonly AbReading['finding'][] = ['candidate-better', 'stable-better', 'no-difference', 'undecided'];
const states: readonly EvidenceState[] = ['ok', 'no-traffic', 'source-down', 'router-not-converged', 'clock-skew'];

const anything: fc.Arbitrary<Situation> = fc
  .tuple(
    fc.record({
      winner: fc.constantFrom('act' as const, 'recommend' as const),
      heard: fc.subarray([...findings]),
      look: fc.constantFrom(null, look(), ...findings.map((finding) => abLook(finding))),
      evidence: fc.constantFrom(...states),
      elapsedMs: fc.nat(2 * HOUR),
      fresh: fc.boolean(),
      current: fc.boolean(),
      approval: fc.constantFrom(null, approval),
      control: fc.constantFrom('running' as const, 'paused' as const, 'held' as const),
    }),
    fc.record({
      kind: fc.constant('ab' as const),
      onUndecided: fc.constantFrom('advance' as const, 'extend' as const, 'hold' as const),
      gate: fc.constantFrom('auto' as const, 'manual' as const),
    }),
  )
  .map(([at, plan]) => situation(at, plan));

function counterexample(holds: (at: Situation, action: Action) => boolean): unknown {
  const property = fc.property(anything, (at) => holds(at, decide(at)));
  return fc.check(property, { numRuns: 5_000 }).counterexample;
}

describe('decide, whatever an ab stage has found', () => {
  it('rolls back by itself only when the plan acts and stable is better, on evidence of now', () => {
    expect(
      counterexample(
        (at, { kind }) =>
          kind !== 'rollback' ||
          (at.winner === 'act' &&
            at.look?.ab?.finding === 'stable-better' &&
            at.evidence === 'ok' &&
            at.fresh &&
            at.current &&
            at.approval === null &&
            at.control === 'running'),
      ),
    ).toBeNull();
  });

  it('never advances without a person but on a better candidate, or undecided where the plan says so', () => {
    expect(
      counterexample(
        (at, { kind }) =>
          kind !== 'advance' ||
          at.approval !== null ||
          (at.winner === 'act' && at.look?.ab?.finding === 'candidate-better') ||
          (at.look?.promote.open === true && at.look.ab === null) ||
          (at.look?.ab?.finding === 'undecided' && at.stage.onUndecided === 'advance' && at.elapsedMs >= at.deadlineMs),
      ),
    ).toBeNull();
  });

  it('never holds again for what a person has heard of before its deadline', () => {
    expect(
      counterexample(
        (at, action) =>
          action.kind !== 'hold' ||
          at.elapsedMs >= at.deadlineMs ||
          (action.finding !== undefined && !at.heard.includes(action.finding)),
      ),
    ).toBeNull();
  });
});

describe('the collector, in an ab stage', () => {
  const plan = planOf([stagePlan('ab', { ...ab, durationMs: HOUR, lookTimesMs: [60_000, HOUR] })]);

  it.each<[string, Parameters<typeof rolloutState>[0], boolean]>([
    ['comes back as soon as it is decided', { look: abLook('undecided') }, true],
    ['comes back as soon as it is decided, from the first moment on', { look: null }, true],
    ['has no more to wait for', { look: abLook('candidate-better') }, false],
    ['waits for another finding', { look: abLook('no-difference'), heard: ['no-difference'] }, true],
    ['leaves the end to a person', { look: abLook('undecided'), approval }, false],
    ['is paused', { look: abLook('undecided'), control: 'paused' }, false],
  ])('%s', (_, state, expected) => {
    expect(nextReturn(rolloutState({ plan, ...state }), 1_000, null).untilPromotable).toBe(expected);
  });
});

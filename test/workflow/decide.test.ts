import { describe, expect, it } from 'vitest';
import type { StagePlan } from '../../src/plan/types.js';
import { decide } from '../../workflows/decide.js';
import type { Action, Situation } from '../../workflows/decide.js';
import { crossing, guardrail, look, undecided } from './looks.js';
import { situation } from './situations.js';

const over = { elapsedMs: 3_600_000 };
const approval = { by: 'ann', reason: 'seen it' };
const hardStop = { candidate: { started: 40, failed: 38 }, stable: { started: 400, failed: 2 } };
const HARD_STOP =
  'hard stop (a limit, not a test): 38 of 40 requests of the candidate failed within a minute, 2 of 400 of stable';
const harm = crossing('rollback', 'error_rate');
const doubt = crossing('hold', 'refusal_rate');
const remark = crossing('flag', 'response_rate');
const nothing = look({ requests: { stable: 0, candidate: 0 }, promote: { open: false, waiting: [] } });
const breached = (action: 'rollback' | 'hold'): Situation['look'] =>
  look({ guardrails: { error_rate: guardrail({ verdict: 'breached', action }) } });

type Row = readonly [when: string, situation: Partial<Situation>, then: Action['kind'], stage?: Partial<StagePlan>];

const table: readonly Row[] = [
  ['nothing matters yet', {}, 'wait'],
  ['time is over and the evidence is in', over, 'advance'],
  ['the evidence is in and time is not over', { elapsedMs: 3_599_999 }, 'wait'],
  ['time is over, nobody has looked, there is time for more', { ...over, look: null, deadlineMs: 7_200_000 }, 'wait'],
  ['window and checks have not been asked', { ...over, outside: null }, 'ask-outside'],
  ['the window is closed', { ...over, outside: [{ kind: 'window', open: false, why: 'until Monday' }] }, 'wait'],
  ['the window is open', { ...over, outside: [{ kind: 'window', open: true, why: 'it is Monday' }] }, 'advance'],
  ['the look is from before a wait', { ...over, current: false }, 'look'],
  ['paused', { ...over, control: 'paused' }, 'wait'],
  ['held', { ...over, control: 'held' }, 'wait'],
  ['kept by the pipeline', { ...over, ramp: false }, 'wait'],

  ['no traffic just now', { ...over, evidence: 'no-traffic' }, 'wait'],
  ['stable is down', { ...over, evidence: 'source-down' }, 'wait'],
  ['a router holds another split', { ...over, evidence: 'router-not-converged' }, 'wait'],
  ['a clock is off', { ...over, evidence: 'clock-skew' }, 'wait'],
  ['evidence is not fresh after a long stop', { ...over, fresh: false }, 'wait'],
  ['undecided and not fresh, the plan advances', { ...over, look: undecided(), fresh: false }, 'wait'],
  [
    'undecided and no evidence, the plan holds',
    { ...over, look: undecided(), evidence: 'clock-skew' },
    'hold',
    { onUndecided: 'hold' },
  ],

  ['undecided, the plan advances', { ...over, look: undecided() }, 'advance'],
  ['undecided, the plan holds', { ...over, look: undecided() }, 'hold', { onUndecided: 'hold' }],
  [
    'undecided, the plan extends',
    { ...over, look: undecided(), deadlineMs: 7_200_000 },
    'wait',
    { onUndecided: 'extend' },
  ],
  [
    'undecided, and extended long enough',
    { elapsedMs: 7_200_000, look: undecided(), deadlineMs: 7_200_000 },
    'hold',
    { onUndecided: 'extend' },
  ],
  ['undecided, and the look is old', { ...over, look: undecided(), current: false }, 'look', { onUndecided: 'hold' }],
  ['decided, and extended', { elapsedMs: 3_700_000, deadlineMs: 7_200_000 }, 'advance', { onUndecided: 'extend' }],

  ['it saw no traffic at all', { ...over, look: nothing }, 'hold'],
  ['it saw no traffic at all, and there is none', { ...over, look: nothing, evidence: 'no-traffic' }, 'hold'],
  ['nobody has ever looked', { ...over, look: null, current: false }, 'look'],
  ['nobody could ever look', { ...over, look: null, approval }, 'advance'],
  [
    'it saw fewer requests than the plan asks for',
    { ...over, look: undecided({ requests: { stable: 900, candidate: 99 } }) },
    'hold',
  ],
  ['stable saw none', { ...over, look: undecided({ requests: { stable: 0, candidate: 900 } }) }, 'hold'],
  [
    'stable saw none, and there is no control',
    { ...over, look: undecided({ requests: { stable: 0, candidate: 900 } }) },
    'advance',
    { weights: { stable: 0, candidate: 1 } },
  ],
  ['intervals are incomplete', { ...over, look: look({ incompleteShare: 0.06 }) }, 'hold'],
  ['requests came late', { ...over, look: look({ lateShare: 0.02 }) }, 'hold'],
  ['few users dominate', { ...over, look: look({ dominance: 'few users dominate stable' }) }, 'hold'],
  ['a person promoted past few users', { approval, look: look({ dominance: 'few users dominate stable' }) }, 'advance'],

  ['a person promoted', { approval, look: undecided() }, 'advance'],
  ['a person promoted past incomplete evidence', { approval, look: look({ incompleteShare: 0.5 }) }, 'advance'],
  ['a person promoted, there is no evidence', { approval, evidence: 'no-traffic' }, 'wait'],
  ['a person promoted, evidence is not fresh', { approval, fresh: false }, 'wait'],
  [
    'a person promoted, the window is closed',
    { approval, outside: [{ kind: 'window', open: false, why: 'until Monday' }] },
    'wait',
  ],
  ['a person promoted and the deadline is over', { ...over, approval, look: nothing, evidence: 'no-traffic' }, 'wait'],
  ['a manual gate waits', over, 'wait', { gate: 'manual' }],
  [
    'a manual gate waits, undecided at the deadline',
    { ...over, look: undecided() },
    'hold',
    { gate: 'manual', onUndecided: 'hold' },
  ],
  ['a manual gate is approved', { approval }, 'advance', { gate: 'manual' }],
  ['a person promoted to the end', { approval, promoteToEnd: true }, 'finish'],
  [
    'a person promoted to the end without evidence',
    { approval, promoteToEnd: true, evidence: 'no-traffic', fresh: false },
    'finish',
  ],

  ['a flag guardrail crosses', { ...over, crossing: remark }, 'flag'],
  ['a flag guardrail has been flagged', { ...over, crossing: remark, flagged: ['response_rate'] }, 'advance'],
  ['a hold guardrail crosses', { ...over, crossing: doubt }, 'hold'],
  ['a hold guardrail crosses while paused', { crossing: doubt, control: 'paused' }, 'hold'],
  ['a hold guardrail is acknowledged', { ...over, crossing: doubt, known: ['refusal_rate'] }, 'advance'],
  ['another one crosses', { ...over, crossing: crossing('hold', 'abort_rate'), known: ['refusal_rate'] }, 'hold'],
  ['a look shows a hold guardrail breached', { ...over, look: breached('hold') }, 'hold'],
  ['a hold crosses and a person promoted to the end', { approval, promoteToEnd: true, crossing: doubt }, 'hold'],
  ['a rollback guardrail crosses', { ...over, crossing: harm }, 'rollback'],
  ['a rollback guardrail crosses while held', { crossing: harm, control: 'held' }, 'rollback'],
  ['a rollback guardrail crosses without evidence', { crossing: harm, evidence: 'router-not-converged' }, 'rollback'],
  [
    'a rollback guardrail is never acknowledged',
    { crossing: harm, known: ['error_rate'], flagged: ['error_rate'] },
    'rollback',
  ],
  [
    'a rollback guardrail crosses and a person promoted to the end',
    { approval, promoteToEnd: true, crossing: harm },
    'rollback',
  ],
  [
    'only the look shows the crossing',
    { look: look({ crossings: { rollback: harm, hold: null, flag: null } }) },
    'rollback',
  ],
  ['only the verdict shows the crossing', { look: breached('rollback') }, 'rollback'],
  ['a crossing names nobody', { crossing: crossing('rollback') }, 'rollback'],
  ['the candidate fails outright', { hardStop }, 'rollback'],
  ['the candidate fails outright while paused', { hardStop, control: 'paused' }, 'rollback'],
  ['everything fails', { hardStop, evidence: 'source-down' }, 'wait'],
];

describe('decide', () => {
  it.each(table.map(([when, at, kind, plan]) => ({ when, at, kind, plan })))('$when', ({ at, kind, plan }) => {
    expect(decide(situation(at, plan)).kind).toBe(kind);
  });

  it('tells a hard stop from a test', () => {
    expect(decide(situation({ hardStop, crossing: harm }))).toEqual({
      kind: 'rollback',
      why: 'hard-stop',
      guardrails: [],
      reason: HARD_STOP,
    });
  });

  it('says who crossed, in the words of the look when it shows them', () => {
    expect(decide(situation({ crossing: harm }))).toMatchObject({
      why: 'crossing',
      guardrails: ['error_rate'],
      reason: 'error_rate has crossed in canary-5 after 1234 requests of the candidate',
    });
    expect(decide(situation({ look: breached('rollback') }))).toMatchObject({
      reason: 'error_rate: odds ratio 0.98, at most 1.04',
    });
  });

  it('says beside a rollback that the sample ratio has alarmed too: then it may be the assignment that differs', () => {
    const why = 'assignments 9.8% to the candidate for a split of 5%: 1,310 units; e-value 4,211 of 1,000';
    const shown = look({ guardrails: { sample_ratio: guardrail({ verdict: 'breached', action: 'hold', why }) } });
    expect(decide(situation({ crossing: harm, look: shown }))).toMatchObject({
      kind: 'rollback',
      guardrails: ['error_rate'],
      reason:
        'error_rate has crossed in canary-5 after 1234 requests of the candidate; ' +
        `the sample ratio has alarmed too: ${why}`,
    });
    const told = look({ crossings: { rollback: null, hold: crossing('hold', 'sample_ratio'), flag: null } });
    expect(decide(situation({ hardStop, look: told }))).toMatchObject({
      kind: 'rollback',
      reason: `${HARD_STOP}; the sample ratio has alarmed too`,
    });
  });

  it.each([
    ['before the metrics', [], 'sample_ratio'],
    ['and after it is acknowledged the metrics still do', ['sample_ratio'], 'refusal_rate'],
    ['while an acknowledged metric hides nothing', ['refusal_rate'], 'sample_ratio'],
  ] as const)('holds for the sample ratio %s', (_, known, holds) => {
    const breach = guardrail({ verdict: 'breached', action: 'hold' });
    const shown = look({
      guardrails: { refusal_rate: breach, sample_ratio: breach },
      crossings: { rollback: null, hold: crossing('hold', 'sample_ratio'), flag: null },
    });
    const guardrails = ['error_rate', 'sample_ratio', 'refusal_rate'] as const;
    const action = decide(situation({ look: shown, guardrails, known }));
    expect(action.kind === 'hold' && action.guardrails[0]).toBe(holds);
  });

  it('says what each gate waits for', () => {
    const action = decide(
      situation(
        { look: undecided(), outside: [{ kind: 'window', open: false, why: 'until Monday' }] },
        { gate: 'manual' },
      ),
    );
    expect(action).toEqual({
      kind: 'wait',
      gates: [
        { kind: 'time', open: false, why: '5 min of 1 h' },
        { kind: 'evidence', open: false, why: 'error_rate: needs 300 more requests' },
        { kind: 'person', open: false, why: 'the plan asks for a person: promote' },
        { kind: 'window', open: false, why: 'until Monday' },
      ],
    });
  });
});

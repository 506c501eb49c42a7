import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EvidenceState } from '../../src/evidence/look.js';
import type { GuardrailName, StagePlan } from '../../src/plan/types.js';
import { decide } from '../../workflows/decide.js';
import type { Action, Situation } from '../../workflows/decide.js';
import { crossing, guardrail, look } from './looks.js';
import { situation } from './situations.js';

const HOUR = 3_600_000;
const states: readonly EvidenceState[] = ['ok', 'no-traffic', 'source-down', 'router-not-converged', 'clock-skew'];
const names: readonly GuardrailName[] = ['error_rate', 'refusal_rate', 'abort_rate', 'response_rate'];

const approval = fc.option(fc.constant({ by: 'ann', reason: 'seen it' }), { nil: null });
const known = fc.subarray([...names]);
const gates = fc.option(
  fc.array(
    fc.record({ kind: fc.constantFrom('window' as const, 'check' as const), open: fc.boolean(), why: fc.constant('') }),
  ),
  { nil: null },
);
const aCrossing = fc.option(
  fc
    .tuple(fc.constantFrom('rollback' as const, 'hold' as const, 'flag' as const), fc.subarray([...names]))
    .map(([family, guardrails]) => crossing(family, ...guardrails)),
  { nil: null },
);
const aLook = fc.option(
  fc
    .record({
      open: fc.boolean(),
      candidate: fc.nat(500),
      stable: fc.nat(2),
      incompleteShare: fc.constantFrom(0, 0.05, 0.2),
      lateShare: fc.constantFrom(0, 0.02),
      breached: fc.subarray([...names]),
      latched: aCrossing,
    })
    .map(({ open, candidate, stable, incompleteShare, lateShare, breached, latched }) =>
      look({
        incompleteShare,
        lateShare,
        requests: { stable, candidate },
        promote: { open, waiting: open ? [] : [{ guardrail: 'error_rate', why: 'needs more' }] },
        guardrails: Object.fromEntries(
          breached.map((name) => [
            name,
            guardrail({ verdict: 'breached', action: name === 'error_rate' ? 'rollback' : 'hold' }),
          ]),
        ),
        crossings: {
          rollback: null,
          hold: null,
          flag: null,
          ...(latched === null ? {} : { [latched.family]: latched }),
        },
      }),
    ),
  { nil: null },
);
const hardStop = fc.option(
  fc.constant({ candidate: { started: 40, failed: 38 }, stable: { started: 400, failed: 2 } }),
  { nil: null },
);
const stage: fc.Arbitrary<Partial<StagePlan>> = fc.record({
  onUndecided: fc.constantFrom('advance' as const, 'extend' as const, 'hold' as const),
  gate: fc.constantFrom('auto' as const, 'manual' as const),
  minRequests: fc.constantFrom(0, 100),
});

const anything: fc.Arbitrary<Situation> = fc
  .tuple(
    fc.record({
      evidence: fc.constantFrom(...states),
      look: aLook,
      elapsedMs: fc.nat(3 * HOUR),
      deadlineMs: fc.constantFrom(HOUR, 2 * HOUR),
      fresh: fc.boolean(),
      approval,
      crossing: aCrossing,
      hardStop,
      control: fc.constantFrom('running' as const, 'paused' as const, 'held' as const),
      ramp: fc.boolean(),
      promoteToEnd: fc.boolean(),
      current: fc.boolean(),
      known,
      flagged: known,
      outside: gates,
    }),
    stage,
  )
  .map(([at, plan]) => situation(at, plan));

/** Whether it holds for every situation whatever; the smallest for which it does not otherwise. */
function counterexample(holds: (at: Situation, action: Action) => boolean): unknown {
  const { counterexample: found } = fc.check(
    fc.property(anything, (at) => holds(at, decide(at))),
    { numRuns: 5_000 },
  );
  return found;
}

function increases(action: Action): boolean {
  return action.kind === 'advance' || action.kind === 'ask-outside';
}

describe('decide, whatever the situation', () => {
  it('rolls back on harm, and nothing else comes first', () => {
    expect(
      counterexample((at, { kind }) => {
        const harm =
          at.crossing?.family === 'rollback' || at.look?.crossings.rollback || at.look?.guardrails.error_rate;
        return !harm || kind === 'rollback';
      }),
    ).toBeNull();
  });

  it('rolls back on a hard stop unless stable is down', () => {
    expect(
      counterexample((at, { kind }) => at.hardStop === null || at.evidence === 'source-down' || kind === 'rollback'),
    ).toBeNull();
  });

  it('never rolls back without harm', () => {
    expect(
      counterexample((at, { kind }) => {
        const harm =
          at.crossing?.family === 'rollback' || at.look?.crossings.rollback || at.look?.guardrails.error_rate;
        return kind !== 'rollback' || Boolean(harm) || at.hardStop !== null;
      }),
    ).toBeNull();
  });

  it('never increases without evidence, with or without a person', () => {
    expect(counterexample((at, action) => !increases(action) || (at.evidence === 'ok' && at.fresh))).toBeNull();
  });

  it('never increases while paused, held or kept', () => {
    expect(counterexample((at, action) => !increases(action) || (at.control === 'running' && at.ramp))).toBeNull();
  });

  it('never advances without a person before time is over, or on a look that saw nothing', () => {
    expect(
      counterexample(
        (at, action) =>
          action.kind !== 'advance' ||
          at.approval !== null ||
          (at.elapsedMs >= at.stage.durationMs && at.current && at.look !== null && at.stage.gate === 'auto'),
      ),
    ).toBeNull();
  });

  it('never advances undecided unless the plan says so, and then on the requests that it asks for', () => {
    expect(
      counterexample(
        (at, action) =>
          action.kind !== 'advance' ||
          at.approval !== null ||
          at.look?.promote.open === true ||
          (at.stage.onUndecided === 'advance' &&
            (at.look?.requests.candidate ?? 0) >= Math.max(1, at.stage.minRequests)),
      ),
    ).toBeNull();
  });

  it('goes to the end only when a person says so', () => {
    expect(counterexample((at, { kind }) => kind !== 'finish' || at.promoteToEnd)).toBeNull();
  });

  it('holds while held only for what no person knows of', () => {
    expect(
      counterexample(
        (at, action) =>
          action.kind !== 'hold' ||
          at.control !== 'held' ||
          (action.guardrails.length > 0 && action.guardrails.every((name) => !at.known.includes(name))),
      ),
    ).toBeNull();
  });

  it('takes time, evidence and an approval only forward', () => {
    expect(
      counterexample((at, action) => {
        if (action.kind !== 'advance') return true;
        const later = decide({ ...at, elapsedMs: at.elapsedMs + HOUR }).kind;
        const approved = decide({ ...at, approval: { by: 'ann', reason: 'seen it' } }).kind;
        return later === 'advance' && approved === 'advance';
      }),
    ).toBeNull();
  });

  it('is never kinder for a crossing more', () => {
    const strictness: Readonly<Record<Action['kind'], number>> = {
      rollback: 3,
      hold: 2,
      flag: 1,
      look: 0,
      'ask-outside': 0,
      advance: 0,
      finish: 0,
      wait: 0,
    };
    const { counterexample: found } = fc.check(
      fc.property(anything, aCrossing, (at, more) => {
        const without = decide({ ...at, crossing: null });
        return strictness[decide({ ...at, crossing: more }).kind] >= Math.min(1, strictness[without.kind]);
      }),
      { numRuns: 5_000 },
    );
    expect(found).toBeNull();
  });
});

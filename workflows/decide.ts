/** The one place where a rollout decides: a pure function with the whole table of outcomes. */
import type { Crossing, HardStop, Look } from '../src/evidence/look.js';
import type { Gate } from '../src/plan/status.js';
import type { GuardrailAction, GuardrailName } from '../src/plan/types.js';
import { decidedOn, endingOf, newsOf, recommendation } from './ab.js';
import type { AbFinding } from './ab.js';
import { doubtOf, gatesOf, sawEnough, waitingFor } from './gates.js';
import type { GateSituation } from './gates.js';
import { span } from './words.js';

export interface Situation extends GateSituation {
  /** What the collector has just found; the look may not show it yet. */
  readonly crossing: Crossing | null;
  readonly hardStop: HardStop | null;
  /** Every guardrail of the plan. */
  readonly guardrails: readonly GuardrailName[];
  readonly control: 'running' | 'paused' | 'held';
  /** False while a pipeline keeps the stage where it is although its gates have opened. */
  readonly ramp: boolean;
  readonly promoteToEnd: boolean;
  /** The look is of now, not from before a wait. */
  readonly current: boolean;
  /** Hold guardrails that a person knows of: acknowledged, or behind the hold in force. */
  readonly known: readonly GuardrailName[];
  readonly flagged: readonly GuardrailName[];
  /** Calendar window and checks; null = not asked yet. */
  readonly outside: readonly Gate[] | null;
}

export type Action =
  | {
      readonly kind: 'rollback';
      readonly why: 'hard-stop' | 'crossing' | 'ab';
      readonly reason: string;
      readonly guardrails: readonly GuardrailName[];
    }
  | {
      readonly kind: 'hold';
      readonly reason: string;
      readonly guardrails: readonly GuardrailName[];
      /** The finding of an ab stage that a person is to hear of. */
      readonly finding?: AbFinding;
    }
  | { readonly kind: 'flag'; readonly reason: string; readonly guardrails: readonly GuardrailName[] }
  | { readonly kind: 'finish'; readonly reason: string }
  | { readonly kind: 'advance'; readonly reason: string; readonly gates: readonly Gate[] }
  | { readonly kind: 'look'; readonly gates: readonly Gate[] }
  | { readonly kind: 'ask-outside'; readonly gates: readonly Gate[] }
  | { readonly kind: 'wait'; readonly gates: readonly Gate[] };

/**
 * The first line that applies is what happens.
 *
 * | when                                                              | then        |
 * |-------------------------------------------------------------------|-------------|
 * | hard stop, unless stable fails as much                            | rollback    |
 * | a rollback guardrail has crossed                                  | rollback    |
 * | a hold guardrail has crossed that no person knows of              | hold        |
 * | a flag guardrail has crossed that is not flagged yet              | flag        |
 * | a person promoted to the end                                      | finish      |
 * | paused, held, or kept by the pipeline                             | wait        |
 * | the stage would end now, but the look is from before a wait       | look        |
 * | an ab stage has found that stable is better, and the plan acts    | rollback    |
 * | an ab stage has found anything a person has not heard of          | hold        |
 * | time, evidence and person agree; window and checks not asked yet  | ask-outside |
 * | all gates are open                                                | advance     |
 * | the deadline is over and the evidence does not speak              | hold        |
 * | else                                                              | wait        |
 */
export function decide(at: Situation): Action {
  const harm = breached(at, 'rollback', []);
  const doubt = breached(at, 'hold', at.known);
  const remark = breached(at, 'flag', at.flagged);
  const own = gatesOf(at);
  const gates = [...own, ...(at.outside ?? [])];

  if (at.hardStop !== null && at.evidence !== 'source-down')
    return {
      kind: 'rollback',
      why: 'hard-stop',
      reason: hardStopReason(at.hardStop) + assignmentDoubt(at),
      guardrails: [],
    };
  if (harm !== null) return { kind: 'rollback', why: 'crossing', ...harm, reason: harm.reason + assignmentDoubt(at) };
  if (doubt !== null) return { kind: 'hold', ...doubt };
  if (remark !== null) return { kind: 'flag', ...remark };
  if (at.promoteToEnd) return { kind: 'finish', reason: at.approval?.reason ?? 'promoted to the end' };
  if (at.control !== 'running' || !at.ramp) return { kind: 'wait', gates };
  const overdue = overdueReason(at);
  const ending = abEnding(at);
  const ends = own.every(isOpen) || overdue !== null || ending !== null;
  if (ends && !at.current && at.approval === null) return { kind: 'look', gates };
  if (ending !== null) return ending;
  if (own.every(isOpen) && at.outside === null) return { kind: 'ask-outside', gates };
  if (gates.every(isOpen)) return { kind: 'advance', reason: advanceReason(own), gates };
  if (overdue !== null) return { kind: 'hold', reason: overdue, guardrails: [] };
  return { kind: 'wait', gates };
}

/** What an ab stage has found, when it may be believed and is news: a rollback or a hold. A pass is a matter of gates. */
function abEnding(at: Situation): Action | null {
  const found = newsOf(at);
  if (found === null || at.approval !== null) return null;
  if (at.evidence !== 'ok' || !at.fresh || doubtOf(at.look) !== null) return null;
  switch (endingOf(found, at.winner)) {
    case 'pass':
      return null;
    case 'rollback':
      return { kind: 'rollback', why: 'ab', reason: `ab: ${found.why}`, guardrails: [found.primary] };
    case 'hold':
      return { kind: 'hold', reason: recommendation(found), guardrails: [], finding: found.finding };
  }
}

/** The deadline is over and nothing that comes by itself would open the evidence gate: a person is asked. */
function overdueReason(at: Situation): string | null {
  const { stage, look } = at;
  if (at.approval !== null || at.elapsedMs < at.deadlineMs) return null;
  const over = `${span(at.deadlineMs)} of ${stage.name} are over`;
  if (!sawEnough(stage, look)) {
    const seen = look?.requests ?? { stable: 0, candidate: 0 };
    return `${over} and it saw ${seen.candidate} of ${Math.max(1, stage.minRequests)} requests of the candidate, ${seen.stable} of stable: ${at.evidence === 'ok' ? 'too few to say anything' : at.evidence}`;
  }
  const supported = look?.promote.open === true || stage.onUndecided === 'advance';
  // An outage or a stop ends by itself; the evidence would open the gate then.
  if (supported && (at.evidence !== 'ok' || !at.fresh)) return null;
  const gate = gatesOf(at).find(({ kind }) => kind === 'evidence');
  if (gate === undefined || gate.open) return null;
  if (decidedOn(at) !== null) return `${over}: ${gate.why}`;
  return `${over} and the evidence is undecided: ${supported ? gate.why : waitingFor(look)}`;
}

interface Breach {
  readonly reason: string;
  readonly guardrails: readonly GuardrailName[];
}

/** Guardrails of a family that have crossed, for good, less those already dealt with. */
function breached(at: Situation, family: GuardrailAction, dealtWith: readonly GuardrailName[]): Breach | null {
  const crossings = [at.crossing, at.look?.crossings[family] ?? null].filter((crossing) => crossing?.family === family);
  const crossed = crossings.flatMap((crossing) => crossing?.guardrails ?? []);
  const guardrails = at.guardrails.filter(
    (name) => (crossed.includes(name) || showsBreach(at.look, name, family)) && !dealtWith.includes(name),
  );
  if (guardrails.length > 0) return { reason: breachReason(at, family, guardrails), guardrails };
  // A crossing that names nobody of the plan is one all the same: traffic first.
  return family === 'rollback' && crossings.length > 0
    ? { reason: 'the rollback guardrails have crossed together', guardrails: [] }
    : null;
}

function showsBreach(look: Look | null, name: GuardrailName, family: GuardrailAction): boolean {
  const guardrail = look?.guardrails[name];
  return guardrail?.verdict === 'breached' && guardrail.action === family;
}

/** Said beside a rollback: with a wrong split it may be the assignment, not the model, that differs. */
function assignmentDoubt({ look, crossing }: Situation): string {
  const status = look?.guardrails.sample_ratio;
  if (status?.verdict === 'breached') return `; the sample ratio has alarmed too: ${status.why}`;
  const crossings = [crossing, ...Object.values(look?.crossings ?? {})];
  const alarmed = crossings.some((one) => one?.guardrails.includes('sample_ratio') === true);
  return alarmed ? '; the sample ratio has alarmed too' : '';
}

function breachReason(at: Situation, family: GuardrailAction, guardrails: readonly GuardrailName[]): string {
  const crossing = at.crossing ?? at.look?.crossings[family] ?? null;
  const evidence = guardrails.flatMap((name) => {
    const guardrail = at.look?.guardrails[name];
    return guardrail?.verdict === 'breached' ? [`${name}: ${guardrail.why}`] : [];
  });
  if (evidence.length > 0) return evidence.join('; ');
  const after = crossing === null ? '' : ` after ${crossing.requests} requests of the candidate`;
  return `${guardrails.join(', ')} ${guardrails.length === 1 ? 'has' : 'have'} crossed in ${at.stage.name}${after}`;
}

function hardStopReason({ candidate, stable }: HardStop): string {
  return `hard stop (a limit, not a test): ${candidate.failed} of ${candidate.started} requests of the candidate failed within a minute, ${stable.failed} of ${stable.started} of stable`;
}

function advanceReason(gates: readonly Gate[]): string {
  return gates.map(({ kind, why }) => `${kind}: ${why}`).join('; ');
}

function isOpen(gate: Gate): boolean {
  return gate.open;
}

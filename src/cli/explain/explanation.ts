/** Why a rollout stands where it stands, in sentences that hold every number a verdict rests on. */
import type { Crossing, GuardrailStatus, Look } from '../../evidence/look.js';
import { familyAlpha } from '../../plan/family-alpha.js';
import type { RolloutId, RouteName } from '../../plan/ids.js';
import type { Gate, RolloutStatus } from '../../plan/status.js';
import type { GuardrailName, Plan } from '../../plan/types.js';
import { formatEValue, formatShare } from '../format.js';
import { abEnd, abOf, abSentences } from './ab-sentences.js';
import type { Recomputation } from './recompute-look.js';
import { whatWouldChange } from './what-would-change.js';

/** What `sluice explain --json` prints. */
export interface Explanation {
  readonly route: RouteName;
  readonly rollout: RolloutId;
  /** Where the rollout stands, as the ledger has it last; null when it has no state of this rollout. */
  readonly state: RolloutStatus['state'] | null;
  readonly look: Look | null;
  /** For a look that was asked for: whether the ledger's evidence gives the same figures. */
  readonly recomputed: Recomputation | null;
  readonly gates: readonly Gate[];
  readonly sentences: readonly string[];
}

export interface ExplainInput {
  readonly route: RouteName;
  readonly rollout: RolloutId;
  readonly plan: Plan;
  readonly status: RolloutStatus | null;
  readonly look: Look | null;
  readonly recomputed: Recomputation | null;
}

export function explain(input: ExplainInput): Explanation {
  const { route, rollout, plan, status, look, recomputed } = input;
  // A past look stands for itself: the gates and the hold of today say nothing of it.
  const now = recomputed === null ? status : null;
  const sentences = [
    ...(now === null ? [] : standing(now)),
    ...(look === null ? ['No look has been recorded yet: verdicts follow with the first closed intervals.'] : []),
    ...(look === null ? [] : lookSentences(look, plan)),
    ...(now === null ? [] : now.gates.map(gateSentence)),
    ...(recomputed === null ? [] : recomputationSentences(recomputed)),
  ];
  return { route, rollout, state: status?.state ?? null, look, recomputed, gates: now?.gates ?? [], sentences };
}

function standing({
  rollout,
  state,
  evidence,
  stage,
  split,
  hold,
  outcome,
  outstanding,
  flags,
}: RolloutStatus): string[] {
  const share = formatShare(split.weights.candidate);
  const sentences = [`${rollout} is ${state} in ${stage.name}, with ${share} of the units on the candidate.`];
  if (outcome !== null) {
    sentences.push(`It ended ${outcome.state} in ${outcome.stage} by ${outcome.by}: ${outcome.reason}.`);
    if (outcome.evidence !== null) sentences.push(`The evidence for that: ${outcome.evidence}.`);
  }
  if (hold !== null) sentences.push(`It is held since ${instant(hold.since)}: ${hold.reason}.`);
  if (evidence !== 'ok')
    sentences.push(`Its evidence is ${evidence}: nothing is promoted on it, and nothing rolled back by it.`);
  if (outstanding.length > 0) sentences.push(`It waits for ${outstanding.join(', ')}.`);
  for (const flag of flags) sentences.push(`Flagged: ${flag}.`);
  return sentences;
}

function lookSentences(look: Look, plan: Plan): string[] {
  const { stable, candidate } = look.requests;
  const sentences = [
    `Look ${look.id} (${look.why}) of ${instant(look.at)} uses every interval that ended by ${instant(look.position.closedThrough)}: ` +
      `in ${look.stage} ${count(stable)} requests of stable and ${count(candidate)} of the candidate.`,
  ];
  if (look.incompleteShare > 0)
    sentences.push(`${formatShare(look.incompleteShare)} of its intervals were incomplete and left out.`);
  if (look.lateShare > 0) sentences.push(`${formatShare(look.lateShare)} of its requests came too late to be used.`);
  if (typeof look.dominance === 'string') sentences.push(`A person is asked: ${look.dominance}.`);
  for (const action of ['rollback', 'hold', 'flag'] as const) {
    const crossing = look.crossings[action];
    if (crossing !== null) sentences.push(crossingSentence(crossing, plan));
  }
  for (const { name } of plan.guardrails) {
    const status = look.guardrails[name];
    if (status !== undefined) sentences.push(guardrailSentence(name, status, plan));
  }
  sentences.push(
    ...abSentences(look, plan),
    look.promote.open
      ? (abEnd(look, plan) ?? 'The evidence for promotion is in: every gate is safe.')
      : `${abOf(look) === null ? 'Promotion' : 'The end of the stage'} waits for ${look.promote.waiting.map(({ guardrail, why }) => (guardrail === 'min_requests' ? why : guardrail)).join(', ')}.`,
  );
  return sentences;
}

function guardrailSentence(name: GuardrailName, status: GuardrailStatus, plan: Plan): string {
  return `${name} is ${status.verdict}: ${status.why}. ${whatWouldChange(name, status, plan)}`;
}

/** A crossing in a sentence. */
export function crossingSentence(crossing: Crossing, plan: Plan): string {
  const { family, guardrails, named, stage, intervalEnd, logE, requests } = crossing;
  const where = `crossed in ${stage} at ${instant(intervalEnd)}, after ${count(requests)} requests of the candidate`;
  const alone = plan.guardrails.find(({ name, kind }) => kind === 'sample-ratio' && guardrails.includes(name));
  if (alone?.kind === 'sample-ratio') {
    const bound = formatEValue(-Math.log(alone.alpha));
    return `${alone.name} ${where}: an e-value of ${formatEValue(logE)}, where ${bound} is the bound.`;
  }
  const how = named ? 'named by the closed test' : 'leading, none being named by itself';
  const bound = formatEValue(-Math.log(familyAlpha(plan, family)));
  return (
    `The ${family} guardrails ${where}: together an e-value of ${formatEValue(logE)}, where ${bound} is the bound; ` +
    `${guardrails.join(', ')} ${how}.`
  );
}

function gateSentence({ kind, open, why }: Gate): string {
  return `The ${kind} gate is ${open ? 'open' : 'closed'}: ${why}.`;
}

function recomputationSentences({ equal, differences }: Recomputation): string[] {
  if (equal) return ['Computed again from the evidence in the ledger, every figure is equal to the last digit.'];
  return differences.map(
    ({ figure, recorded, recomputed }) =>
      `Computed again from the evidence in the ledger, ${figure} is ${JSON.stringify(recomputed)}, but was recorded as ${JSON.stringify(recorded)}.`,
  );
}

function instant(ms: number): string {
  return new Date(ms).toISOString();
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}

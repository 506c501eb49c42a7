import type { Crossing, GuardrailStatus, Verdict } from '../../evidence/look.js';
import type { Families } from './families.js';
import type { GuardrailEvidence, GuardrailTracker } from './guardrail-tracker.js';
import { requestsPerSecond } from './stage-counts.js';
import type { StageCounts } from './stage-counts.js';
import { eValue, oddsRatio, significant, whole } from './words.js';

/** A smaller design effect is noise as often as not. */
const LEAST_SHOWN_EFFECT = 1.2;

export interface StatusQuestion {
  readonly stageIndex: number;
  readonly promoteFromGeneration: number;
  readonly alphaPromote: number;
  readonly counts: StageCounts;
}

/**
 * A guardrail's verdict and what it rests on: `breached` once its family's crossing named it, for good; else `safe` when
 * the stage's own evidence for promotion is at 1/α_P now; else `undecided`.
 */
export function guardrailStatus(
  tracker: GuardrailTracker,
  families: Families,
  question: StatusQuestion,
): GuardrailStatus {
  const { stageIndex, promoteFromGeneration, alphaPromote, counts } = question;
  const evidence = tracker.read(stageIndex, promoteFromGeneration, alphaPromote);
  const { action, name } = tracker.guardrail;
  const breach = families.breachOf(name);
  const bound = -Math.log(alphaPromote);
  const isSafe = evidence.logE.safe !== null && evidence.logE.safe >= bound;
  const verdict = verdictOf(breach, isSafe);
  return {
    verdict,
    why:
      tracker.guardrail.kind === 'sample-ratio'
        ? sampleRatioSentence(evidence, breach, tracker.guardrail.alpha)
        : sentence(evidence, breach, bound, families.standing(action)),
    action,
    logE: evidence.logE,
    stable: evidence.stable,
    candidate: evidence.candidate,
    ratio: evidence.ratio,
    interval: evidence.interval,
    n: evidence.n,
    needs: verdict === 'undecided' ? needsOf(evidence, counts) : null,
  };
}

/** It alarms by itself, and a split has no odds ratio that anybody would look for. */
function sampleRatioSentence(evidence: GuardrailEvidence, breach: Crossing | null, alpha: number): string {
  const parts = [evidence.seen, `e-value ${eValue(evidence.logE.breach)} of ${eValue(-Math.log(alpha))}`];
  if (breach) parts.unshift(`breached in ${breach.stage} after ${whole(breach.requests)} candidate requests`);
  return parts.join('; ');
}

function verdictOf(breach: Crossing | null, isSafe: boolean): Verdict {
  if (breach) return 'breached';
  return isSafe ? 'safe' : 'undecided';
}

function needsOf(evidence: GuardrailEvidence, counts: StageCounts): GuardrailStatus['needs'] {
  if (evidence.remaining === null) return null;
  const perSecond = requestsPerSecond(counts);
  // Not every request counts for every guardrail: only streams have a time to first token.
  const counted = evidence.n.stable + evidence.n.candidate;
  const share = counts.compared === 0 ? 0 : Math.min(1, counted / counts.compared);
  return {
    requests: Math.ceil(evidence.remaining),
    seconds: perSecond === null || share === 0 ? null : Math.ceil(evidence.remaining / (perSecond * share)),
  };
}

function sentence(
  evidence: GuardrailEvidence,
  breach: Crossing | null,
  bound: number,
  family: { readonly logE: number; readonly bound: number } | null,
): string {
  const parts = [`${evidence.seen} (${oddsRatio(evidence.interval)})`];
  if (breach) {
    const how = breach.named ? 'named by the closed test' : 'leading its family';
    parts.unshift(`breached in ${breach.stage} after ${whole(breach.requests)} candidate requests, ${how}`);
  }
  if (evidence.untested) parts.push(evidence.untested);
  if (evidence.waits !== null) parts.push(evidence.waits);
  const { designEffect = 1 } = evidence;
  if (designEffect >= LEAST_SHOWN_EFFECT) {
    parts.push(`evidence divided by ${significant(designEffect)}, since requests of one user resemble each other`);
  }
  const of = family ? `, its family's ${eValue(family.logE)} of ${eValue(family.bound)} needed` : '';
  parts.push(`e-value for harm ${eValue(evidence.logE.breach)}${of}`);
  if (evidence.logE.safe !== null && evidence.waits === null) {
    const isNever = evidence.remaining === null && evidence.n.stable > 0 && evidence.n.candidate > 0;
    parts.push(
      `for promotion ${eValue(evidence.logE.safe)} of ${eValue(bound)}${isNever ? ', never at this effect' : ''}`,
    );
  }
  return parts.join('; ');
}

import { logSumExp } from '../../statistics/log-sum-exp.js';
import { klBernoulli } from '../../statistics/kullback-leibler.js';
import { planTest } from '../../statistics/planner.js';
import { sampleRatioLogE } from '../../statistics/sample-ratio.js';
import { familyAlpha } from '../family-alpha.js';
import type { Guardrail, Plan, StagePlan } from '../types.js';
import type { Baseline } from './baseline.js';
import { breachComparisons } from './comparisons.js';
import { leastWhere } from './least-where.js';
import { passageOf } from './passage.js';
import type { Passage } from './passage.js';

export interface BreachQuestion {
  readonly plan: Plan;
  readonly stage: StagePlan;
  readonly guardrail: Guardrail;
  readonly baseline: Baseline | null;
  /** The candidate's share of the compared requests. */
  readonly candidateShare: number;
}

/**
 * How a stage comes to see that the candidate is `ratio` times worse than stable, if it is so from the stage's
 * beginning; for the sample ratio: that it gets `ratio` times its share. By request that counts for the guardrail, of both
 * variants. Null when it never does.
 */
export function breachPassage(question: BreachQuestion, ratio: number): Passage | null {
  const { plan, stage, guardrail, baseline, candidateShare } = question;
  if (guardrail.kind === 'sample-ratio') return misassignment(candidateShare, ratio, guardrail.alpha);
  if (stage.mixtureShare === 0) return null;
  const alpha = familyAlpha(plan, guardrail.action) * guardrail.weight;
  const parts = breachComparisons(guardrail, baseline, ratio).flatMap(({ alphaShare, ...comparison }) => {
    const test = planTest({
      ...comparison,
      side: 'greater',
      share: candidateShare,
      alpha,
      stageShare: stage.mixtureShare,
    });
    return test === null ? [] : [{ alphaShare, ...passageOf(test) }];
  });
  return averagePassage(parts);
}

type Part = Passage & { readonly alphaShare: number };

/**
 * An average of e-values, of a guardrail's cuts: the requests n at which Σ alphaShare·exp(n·nats − threshold) = 1 at the
 * evidence to be expected, walking there as the part that leads. Null without parts.
 */
function averagePassage(parts: readonly Part[]): Passage | null {
  if (parts.length === 0) return null;
  const logShares = (requests: number): number[] =>
    parts.map(
      ({ alphaShare, natsPerRequest, thresholdNats }) =>
        Math.log(alphaShare) + requests * natsPerRequest - thresholdNats,
    );
  const mean = leastWhere((requests) => logSumExp(logShares(requests)) >= 0, 1e-3);
  if (mean === null) return null;
  const atMean = logShares(mean);
  const { natsPerRequest } = parts.reduce((leading, part) =>
    (atMean[parts.indexOf(part)] ?? -Infinity) > (atMean[parts.indexOf(leading)] ?? -Infinity) ? part : leading,
  );
  return { thresholdNats: mean * natsPerRequest, natsPerRequest, chanceEver: 1 };
}

/** Until the test of the sample ratio reaches 1/alpha at the counts to be expected. Source: method §6, §9.2. */
function misassignment(share: number, ratio: number, alpha: number): Passage | null {
  const actual = share * ratio;
  if (actual >= 1 || ratio === 1) return null;
  const mean = leastWhere(
    (requests) => sampleRatioLogE([requests * (1 - actual), requests * actual], [1 - share, share]) >= -Math.log(alpha),
    0.5,
  );
  if (mean === null) return null;
  const information = klBernoulli(actual, share);
  return { thresholdNats: mean * information, natsPerRequest: information, chanceEver: 1 };
}

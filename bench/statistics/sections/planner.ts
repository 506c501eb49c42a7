import { logOddsRatioFromRatio } from '../../../src/statistics/odds-ratio.js';
import { planTest } from '../../../src/statistics/planner.js';
import type { TestPlan, TestScenario } from '../../../src/statistics/planner.js';
import type { Effort } from '../efforts.js';
import { METHODS } from '../methods.js';
import { percent, rate, whole } from '../report/format.js';
import { atMost } from '../report/section.js';
import type { Goal, Section } from '../report/section.js';
import { ALPHA, TYPICAL_EFFECT } from '../settings.js';
import type { Detection, DetectionOfMethod } from '../simulate-binary.js';
import { LATENCY_LIMIT, LATENCY_METHODS, exceedanceRates } from '../simulate-latency.js';
import {
  FALSE_PROMOTION,
  FALSE_PROMOTION_LOOKS,
  PROMOTION_SETTINGS,
  simulatePromotion,
} from '../simulate-promotion.js';
import type { LatencyDetection } from './latency.js';

/** How far the plan's mean and 80 % point may be from the simulation. */
const MEAN_TOLERANCE = 0.15;
const POWER_TOLERANCE = 0.12;
/** Below so many requests of the candidate a batch is a large part of the answer. */
const LEAST_REQUESTS = 60;

interface Comparison {
  readonly name: string;
  readonly side: 'greater' | 'less';
  readonly planned: { readonly mean: number; readonly atPower: number };
  readonly simulated: DetectionOfMethod;
}

/** The forecast's formulas against simulation. */
export function planner(
  effort: Effort,
  detections: readonly Detection[],
  latencies: readonly LatencyDetection[],
): Section {
  const comparisons = [
    ...detections.flatMap(({ setting, byMethod }) =>
      comparisonOf(setting.name, byMethod.get(METHODS.sluice), planned({ ...setting, limit: 0 })),
    ),
    ...latencies.flatMap(({ setting, byMethod }) =>
      comparisonOf(
        setting.name,
        byMethod.get(LATENCY_METHODS.sluice),
        planned({ ...exceedanceRates(setting), share: setting.share, limit: LATENCY_LIMIT }),
      ),
    ),
    ...PROMOTION_SETTINGS.flatMap((setting) => {
      const limit = logOddsRatioFromRatio(setting.rate, setting.margin);
      const rates = { stableRate: setting.rate, candidateRate: setting.rate, share: setting.share };
      const plan = planTest({ ...rates, side: 'less', limit, typicalEffect: limit, alpha: ALPHA });
      return comparisonOf(`promote: ${setting.name}`, simulatePromotion(setting, effort.promotions), plan, 'less');
    }),
  ];
  const falsePromotions = simulatePromotion(FALSE_PROMOTION, effort.promotions).found;
  return {
    title: 'The forecast against simulation, and promotion',
    goals: [
      ...comparisons.filter(isJudged).flatMap(goalsOf),
      atMost(`false promotions: ${FALSE_PROMOTION.name}`, falsePromotions, ALPHA, percent),
    ],
    blocks: [
      {
        kind: 'text',
        text:
          'What `sluice forecast` computes, against the simulations of this page: mean requests, and the number after ' +
          'which 80 % of the runs have decided. A promotion counts the requests of both variants; its mean is planned high, ' +
          'and stages are planned by the 80 % point.',
      },
      {
        kind: 'table',
        header: ['question', 'requests of', 'mean planned', 'simulated', '', '80 % planned', 'simulated', ''],
        rows: comparisons.map((one) => [
          one.name,
          one.side === 'less' ? 'both' : 'candidate',
          whole(one.planned.mean),
          whole(one.simulated.mean),
          signed(meanError(one)),
          whole(one.planned.atPower),
          whole(one.simulated.q80),
          signed(powerError(one)),
        ]),
      },
      {
        kind: 'text',
        text:
          `A candidate exactly at a promote margin (${FALSE_PROMOTION.name}), ${whole(FALSE_PROMOTION_LOOKS)} looks, ` +
          `${whole(effort.promotions)} runs, was promoted in ${rate(Math.round(falsePromotions * effort.promotions), effort.promotions)}.`,
      },
    ],
  };
}

function planned(scenario: Pick<TestScenario, 'stableRate' | 'candidateRate' | 'share' | 'limit'>): TestPlan | null {
  return planTest({ ...scenario, side: 'greater', typicalEffect: TYPICAL_EFFECT, alpha: ALPHA });
}

function comparisonOf(
  name: string,
  simulated: DetectionOfMethod | undefined,
  plan: TestPlan | null,
  side: Comparison['side'] = 'greater',
): readonly Comparison[] {
  if (!simulated || !plan) return [];
  return [{ name, side, planned: side === 'less' ? plan.total : plan.candidate, simulated }];
}

function isJudged({ simulated }: Comparison): boolean {
  return simulated.mean >= LEAST_REQUESTS;
}

function meanError({ planned: { mean }, simulated }: Comparison): number {
  return mean / simulated.mean - 1;
}

function powerError({ planned: { atPower }, simulated }: Comparison): number {
  return atPower / simulated.q80 - 1;
}

/** A promotion's mean is planned high, on the safe side, and nothing is decided by it. */
function goalsOf(one: Comparison): readonly Goal[] {
  const atPower = atMost(
    `planned 80 % point, distance from simulation: ${one.name}`,
    Math.abs(powerError(one)),
    POWER_TOLERANCE,
    percent,
  );
  if (one.side === 'less') return [atPower];
  return [
    atMost(`planned mean, distance from simulation: ${one.name}`, Math.abs(meanError(one)), MEAN_TOLERANCE, percent),
    atPower,
  ];
}

function signed(error: number): string {
  return `${error >= 0 ? '+' : '−'}${Math.abs(100 * error).toFixed(0)} %`;
}

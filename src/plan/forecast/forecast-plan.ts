/** Before a rollout: how long each stage takes, what it can see, and what that costs. */
import { requirePositive } from '../../statistics/checks.js';
import type { Guardrail, GuardrailName, Plan, StagePlan } from '../types.js';
import { forecastAb } from './ab-forecast.js';
import { baselineOf } from './baseline.js';
import type { Baseline, Baselines, ForecastInput } from './baseline.js';
import { isComparable, isGate } from './comparable.js';
import { extraBadEvents } from './comparisons.js';
import { breachPassage } from './breach-passage.js';
import type { BreachQuestion } from './breach-passage.js';
import { meanRequests, requestsAtPower } from './passage.js';
import type {
  AbForecast,
  Forecast,
  GateForecast,
  GuardrailForecast,
  SightForecast,
  StageForecast,
} from './forecast.js';
import { forecastGate } from './gate-forecast.js';
import { leastWhere } from './least-where.js';
import { stageTraffic } from './stage-traffic.js';
import type { StageTraffic } from './stage-traffic.js';
import { waitForEvidence } from './evidence-wait.js';
import { stableRequests } from './stable-requests.js';
import type { StableRequests } from './stable-requests.js';

/** How many times worse the candidate is taken to be. */
const RATIOS = [1.25, 1.5, 2, 3] as const;

/** No service gets this many times worse and stays up. */
const LARGEST_RATIO = 1000;

/**
 * Forecasts every stage of a plan by the planner's formulas (method §9): when evidence for promotion is in if nothing
 * changed, when a candidate that is ×1.25, ×1.5, ×2 or ×3 worse is seen, and how many extra bad events that takes.
 *
 * Chances are 80%, extra bad events are means. Requests count as independent: where few users send many, the design
 * effect makes it take longer. A hold, a person's gate and calendar windows are not in it. Throws unless
 * requestsPerSecond is positive and finite, on baselines that are no rates, and as `createAssessment` on the plan.
 */
export function forecastPlan(plan: Plan, { requestsPerSecond, baselines: given }: ForecastInput): Forecast {
  requirePositive(requestsPerSecond, 'requests per second');
  const baselines: Partial<Record<GuardrailName, Baseline>> = {};
  for (const guardrail of plan.guardrails) {
    const baseline = baselineOf(guardrail, given);
    if (baseline !== null) baselines[guardrail.name] = baseline;
  }
  return {
    route: plan.route,
    requestsPerSecond,
    baselines,
    falseRollback: plan.falseRollback,
    stages: plan.stages.map((_, index) => forecastStage(plan, index, requestsPerSecond, baselines)),
    simulation: null,
  };
}

/** Gates that do not open before their stage's deadline at this traffic, by stage. */
export function undecidable(
  forecast: Forecast,
): readonly { readonly stage: StageForecast; readonly gates: readonly GateForecast[] }[] {
  return forecast.stages.flatMap((stage) => {
    const gates = stage.gates.filter(({ inTime }) => !inTime);
    return gates.length === 0 ? [] : [{ stage, gates }];
  });
}

function forecastStage(plan: Plan, index: number, requestsPerSecond: number, baselines: Baselines): StageForecast {
  const stage = plan.stages[index];
  if (stage === undefined) throw new RangeError(`the plan has no stage of index ${index}`);
  const traffic = stageTraffic(stage, requestsPerSecond);
  const deadlineMs = stage.onUndecided === 'extend' ? stage.maxDurationMs : stage.durationMs;
  const base = {
    stage: stage.name,
    kind: stage.kind,
    durationMs: stage.durationMs,
    deadlineMs,
    onUndecided: stage.onUndecided,
  };
  if (traffic === null) {
    return { ...base, comparedPerSecond: 0, candidateShare: 0, promote: null, gates: [], guardrails: {}, ab: null };
  }
  const stable = (guardrail: Guardrail): StableRequests =>
    stableRequests(plan, index, requestsPerSecond, baselines[guardrail.name]?.share ?? 1);
  const ab = abOf(plan, stage, traffic, baselines, stable);
  const gates =
    stage.kind === 'ab' ? gatesOfAb(ab, stage, traffic) : gatesOf(plan, index, traffic, deadlineMs, baselines, stable);
  const guardrails: Partial<Record<GuardrailName, GuardrailForecast>> = {};
  for (const guardrail of plan.guardrails) {
    if (!isComparable(guardrail, stage)) continue;
    const question = {
      plan,
      stage,
      guardrail,
      baseline: baselines[guardrail.name] ?? null,
      candidateShare: traffic.candidateShare,
    };
    guardrails[guardrail.name] = forecastSight(question, traffic, stable(guardrail).carried);
  }
  return {
    ...base,
    comparedPerSecond: traffic.comparedPerSecond,
    candidateShare: traffic.candidateShare,
    promote: slowestOf(gates),
    gates,
    guardrails,
    ab,
  };
}

function abOf(
  plan: Plan,
  stage: StagePlan,
  traffic: StageTraffic,
  baselines: Baselines,
  stable: (guardrail: Guardrail) => StableRequests,
): AbForecast | null {
  const primary = plan.guardrails.find(({ name }) => name === plan.ab?.primary);
  if (stage.kind !== 'ab' || primary === undefined) return null;
  const baseline = baselines[primary.name] ?? null;
  return forecastAb({ plan, stage, primary, baseline, traffic, carried: stable(primary).carried });
}

/** It ends on what its primary finds; without a margin only a difference or its deadline ends it. */
function gatesOfAb(ab: AbForecast | null, stage: StagePlan, traffic: StageTraffic): readonly GateForecast[] {
  const gates = ab === null || ab.noDifference.seconds === null ? [] : [{ gate: ab.primary, ...ab.noDifference }];
  const seconds = stage.minRequests / traffic.candidatePerSecond + stage.intervalMs / 1000;
  const requests = Math.ceil(seconds * traffic.comparedPerSecond);
  return [...gates, { gate: 'min_requests', requests, seconds, inTime: seconds * 1000 <= stage.durationMs }];
}

function gatesOf(
  plan: Plan,
  index: number,
  traffic: StageTraffic,
  deadlineMs: number,
  baselines: Baselines,
  stable: (guardrail: Guardrail) => StableRequests,
): readonly GateForecast[] {
  const stage = plan.stages[index];
  if (stage === undefined) return [];
  const gateOf = (gate: GateForecast['gate'], seconds: number | null): GateForecast => ({
    gate,
    requests: seconds === null ? null : Math.ceil(seconds * traffic.comparedPerSecond),
    seconds,
    inTime: seconds !== null && seconds * 1000 <= deadlineMs,
  });
  const gates = plan.guardrails
    .filter((guardrail) => isGate(guardrail, plan, index))
    .map((guardrail) => {
      const baseline = baselines[guardrail.name] ?? null;
      return gateOf(guardrail.name, forecastGate({ plan, stage, guardrail, baseline, traffic, ...stable(guardrail) }));
    });
  if (gates.length === 0) return [];
  return [...gates, gateOf('min_requests', stage.minRequests / traffic.candidatePerSecond + stage.intervalMs / 1000)];
}

function slowestOf(gates: readonly GateForecast[]): StageForecast['promote'] {
  let slowest: StageForecast['promote'] = null;
  for (const { gate, requests, seconds } of gates) {
    if (requests === null || seconds === null) return null;
    if (slowest === null || seconds > slowest.seconds) slowest = { requests, seconds, slowest: gate };
  }
  return slowest;
}

function forecastSight(question: BreachQuestion, traffic: StageTraffic, carried: number): GuardrailForecast {
  const { guardrail, baseline, stage } = question;
  const trialsPerSecond = traffic.comparedPerSecond * (baseline?.share ?? 1);
  const wait = waitForEvidence(question.guardrail, stage, traffic.stablePerSecond * (baseline?.share ?? 1), carried);
  const secondsOf = (trials: number): number => wait + trials / trialsPerSecond;
  const sees = RATIOS.map((ratio): SightForecast => {
    const passage = breachPassage(question, ratio);
    if (passage === null) {
      return { ratio, requests: null, seconds: null, extraBadEvents: null, extraBadEventsServed: null, inTime: false };
    }
    const seconds = secondsOf(requestsAtPower(passage));
    const extra =
      extraBadEvents(guardrail, baseline, ratio) * (baseline?.share ?? 1) * secondsOf(meanRequests(passage));
    return {
      ratio,
      requests: Math.ceil(seconds * traffic.comparedPerSecond),
      seconds,
      extraBadEvents: extra * traffic.candidatePerSecond,
      extraBadEventsServed: extra * traffic.servedByCandidatePerSecond,
      inTime: seconds * 1000 <= stage.durationMs,
    };
  });
  const smallestRatio = leastWhere(
    (ratio) => {
      const passage = breachPassage(question, ratio);
      return passage !== null && secondsOf(requestsAtPower(passage)) * 1000 <= stage.durationMs;
    },
    1,
    largestRatio(question),
  );
  return { action: guardrail.action, sees, smallestRatio };
}

/** As much worse as the candidate can be. */
function largestRatio({ guardrail, baseline, candidateShare }: BreachQuestion): number {
  if (guardrail.kind === 'sample-ratio') return (1 - 1e-6) / candidateShare;
  return baseline?.kind === 'rate' ? (1 - 1e-6) / baseline.rate : LARGEST_RATIO;
}

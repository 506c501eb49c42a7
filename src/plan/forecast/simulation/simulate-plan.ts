/** Many drawn rollouts of a plan: what becomes of a candidate that changed nothing, and of one that is worse. */
import type { GuardrailName, Plan } from '../../types.js';
import type { StageName } from '../../ids.js';
import type { ForecastInput } from '../baseline.js';
import { notDrawn } from './draw-evidence.js';
import { simulateRollout } from './simulate-rollout.js';
import type { SimulatedRollout } from './simulate-rollout.js';
import { upperLimit } from './upper-limit.js';

/** How much worse the candidate is made, guardrail by guardrail. */
const RATIO = 2;

export interface Simulation {
  /** Drawn for each candidate: one that changed nothing, and one that is worse for each guardrail that rolls back. */
  readonly rollouts: number;
  readonly seed: number;
  readonly unchanged: {
    readonly rolledBack: number;
    readonly held: number;
    /** At 95%, of the probability of a false rollback. */
    readonly falseRollbackAtMost: number;
    readonly stages: readonly SimulatedStage[];
  };
  readonly worse: readonly SimulatedRegression[];
  /** Guardrails of which no evidence was drawn. */
  readonly notSimulated: readonly GuardrailName[];
}

export interface SimulatedStage {
  readonly stage: StageName;
  /** Rollouts that reached it, and those whose evidence for promotion was in by its deadline. */
  readonly reached: number;
  readonly promotable: number;
  /** By when 80% of those that reached it had that evidence; null = fewer had it. */
  readonly secondsAt80: number | null;
}

export interface SimulatedRegression {
  readonly guardrail: GuardrailName;
  readonly ratio: number;
  readonly rolledBack: number;
  readonly held: number;
  /** Where they ended. */
  readonly byStage: readonly { readonly stage: StageName; readonly ended: number }[];
  readonly meanExtraBadEvents: number | null;
}

export interface SimulationOptions {
  readonly rollouts: number;
  readonly seed: number;
  /** Told after each rollout: done of all. */
  readonly onProgress?: (done: number, all: number) => void;
}

/** The same seed gives the same figures. Throws as `forecastPlan`. */
export function simulatePlan(plan: Plan, input: ForecastInput, options: SimulationOptions): Simulation {
  const { rollouts, seed } = options;
  const still = notDrawn(plan);
  const worse = plan.guardrails.filter(({ action, name }) => action === 'rollback' && !still.includes(name));
  const all = rollouts * (1 + worse.length);
  let done = 0;
  const runs = (regression: Parameters<typeof simulateRollout>[1]['regression']): readonly SimulatedRollout[] =>
    Array.from({ length: rollouts }, () => {
      const run = simulateRollout(plan, { ...input, regression }, seed, done);
      done++;
      options.onProgress?.(done, all);
      return run;
    });
  const unchanged = runs(null);
  const rolledBack = endedBy(unchanged, 'rollback').length;
  return {
    rollouts,
    seed,
    unchanged: {
      rolledBack,
      held: endedBy(unchanged, 'hold').length,
      falseRollbackAtMost: upperLimit(rolledBack, rollouts),
      stages: plan.stages.map(({ name }, index) => simulatedStage(name, index, unchanged)),
    },
    worse: worse.map(({ name }) => regressionOf(plan, name, runs({ guardrail: name, ratio: RATIO, fromStage: 0 }))),
    notSimulated: still,
  };
}

function endedBy(runs: readonly SimulatedRollout[], action: 'rollback' | 'hold'): readonly SimulatedRollout[] {
  return runs.filter(({ ended }) => ended?.action === action);
}

function simulatedStage(stage: StageName, index: number, runs: readonly SimulatedRollout[]): SimulatedStage {
  const reached = runs.filter(({ ended }) => ended === null || ended.stageIndex >= index);
  const seconds = reached.flatMap(({ promotable }) => promotable[index] ?? []).toSorted((left, right) => left - right);
  const at80 = Math.ceil(0.8 * reached.length) - 1;
  return { stage, reached: reached.length, promotable: seconds.length, secondsAt80: seconds[at80] ?? null };
}

function regressionOf(plan: Plan, guardrail: GuardrailName, runs: readonly SimulatedRollout[]): SimulatedRegression {
  const ends = runs.flatMap(({ ended }) => ended ?? []);
  const rolledBack = ends.filter(({ action }) => action === 'rollback');
  return {
    guardrail,
    ratio: RATIO,
    rolledBack: rolledBack.length,
    held: ends.length - rolledBack.length,
    byStage: plan.stages
      .map(({ name }, index) => ({ stage: name, ended: ends.filter(({ stageIndex }) => stageIndex === index).length }))
      .filter(({ ended }) => ended > 0),
    meanExtraBadEvents:
      rolledBack.length === 0
        ? null
        : rolledBack.reduce((sum, { extraBadEvents }) => sum + extraBadEvents, 0) / rolledBack.length,
  };
}

import type { GuardrailAction, GuardrailName, Plan } from '../../types.js';
import { createAssessment } from '../../../statistics/assessment/assessment.js';
import type { Assessment } from '../../../statistics/assessment/assessment.js';
import { baselineOf } from '../baseline.js';
import { isComparable } from '../comparable.js';
import { extraBadEvents } from '../comparisons.js';
import { EvidenceDraw } from './draw-evidence.js';
import type { DrawInput } from './draw-evidence.js';
import { Random } from './random.js';
import { stageSlices } from './stage-slices.js';

/** How one drawn rollout went. */
export interface SimulatedRollout {
  /** What ended it; null = it came through its last stage. A hold ends it too: nobody is there to look. */
  readonly ended: {
    readonly action: Extract<GuardrailAction, 'rollback' | 'hold'>;
    readonly guardrails: readonly GuardrailName[];
    readonly stageIndex: number;
    /** Since the stage's beginning. */
    readonly seconds: number;
    /** Compared requests of both variants in that stage. */
    readonly compared: number;
    /** Of the regression, on average over so many requests of the candidate; 0 without one. */
    readonly extraBadEvents: number;
  } | null;
  /** Seconds after which each stage's evidence for promotion was in; null = not by its end, or not reached. */
  readonly promotable: readonly (number | null)[];
}

/**
 * Draws one rollout's evidence and runs the assessment that the pipeline runs, looked at after every slice.
 * @param growth of the slices, see `stageSlices`
 */
export function simulateRollout(
  plan: Plan,
  input: DrawInput,
  seed: number,
  run: number,
  growth?: number,
): SimulatedRollout {
  const draw = new EvidenceDraw(plan, input, new Random(seed, run));
  const assessment = createAssessment(plan, {});
  const promotable: (number | null)[] = plan.stages.map(() => null);
  let stageStart = 0;
  let extra = 0;
  for (const [stageIndex, stage] of plan.stages.entries()) {
    // Requests are filed by whole intervals of the stage.
    stageStart = Math.ceil(stageStart / stage.intervalMs) * stage.intervalMs;
    draw.beginStage(stageStart);
    let compared = 0;
    let length = 0;
    for (const slice of stageSlices(stage, growth)) {
      const records = draw.slice(stageIndex, slice);
      if (records.length > 0) assessment.absorb(records, draw.ratings(stageIndex, records));
      length = slice.endMs;
      for (const { stratum, variant, error } of records) {
        if (stage.mirror.share === 0 || stratum === 'paired') compared += error.trials;
        if (variant === 'candidate') extra += error.trials * extraPerRequest(plan, input, stageIndex);
      }
      const action = crossedBy(assessment);
      if (action !== null) {
        const guardrails = assessment.crossings[action]?.guardrails ?? [];
        const seconds = slice.endMs / 1000;
        return { ended: { action, guardrails, stageIndex, seconds, compared, extraBadEvents: extra }, promotable };
      }
      const isOpen = assessment.read(stage.name, { promoteFromGeneration: 0 }).promote.open;
      if (isOpen) promotable[stageIndex] ??= slice.endMs / 1000;
      if (slice.endMs >= stage.durationMs && isOpen) break;
    }
    stageStart += length;
  }
  return { ended: null, promotable };
}

function crossedBy({ crossings }: Assessment): 'rollback' | 'hold' | null {
  if (crossings.rollback !== null) return 'rollback';
  return crossings.hold === null ? null : 'hold';
}

function extraPerRequest(plan: Plan, { regression, baselines }: DrawInput, stageIndex: number): number {
  const guardrail = plan.guardrails.find(({ name }) => name === regression?.guardrail);
  const stage = plan.stages[stageIndex];
  if (!guardrail || !stage || regression === null || stageIndex < regression.fromStage) return 0;
  // What is not even compared on copies of requests did not happen to anybody.
  if (stage.mirror.share > 0 && !isComparable(guardrail, stage)) return 0;
  const baseline = baselineOf(guardrail, baselines);
  return extraBadEvents(guardrail, baseline, regression.ratio) * (baseline?.share ?? 1);
}

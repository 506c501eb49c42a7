/** What the routers measure while a stage runs. */
import { PAIRED, SERVED } from '../evidence/record.js';
import type { HistogramMetering, Metering } from './split.js';
import type { Plan, StagePlan } from './types.js';

/**
 * Metering of a stage: one histogram for each guardrail that compares values.
 * @param thresholds fixed buckets for the counts per user, by guardrail; null or absent = not known yet
 */
export function meteringFor(
  plan: Pick<Plan, 'guardrails' | 'requestTimeoutMs'>,
  stage: Pick<StagePlan, 'intervalMs' | 'warmupMs' | 'feedbackHorizonMs'>,
  thresholds: Readonly<Record<string, number | null>>,
): Metering {
  const histograms: Record<string, HistogramMetering> = {};
  for (const guardrail of plan.guardrails)
    if (guardrail.kind === 'quantile' || guardrail.kind === 'cuts')
      histograms[guardrail.name] = { ...guardrail.histogram, thresholdIndex: thresholds[guardrail.name] ?? null };
  return {
    intervalMs: stage.intervalMs,
    warmupMs: stage.warmupMs,
    requestTimeoutMs: plan.requestTimeoutMs,
    feedbackHorizonMs: stage.feedbackHorizonMs,
    histograms,
    strata: [PAIRED, SERVED],
  };
}

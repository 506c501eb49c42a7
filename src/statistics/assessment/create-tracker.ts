import type { Histogram } from '../../evidence/record.js';
import type { Guardrail, Plan } from '../../plan/types.js';
import { CutsTracker } from './cuts-tracker.js';
import { FeedbackTracker } from './feedback-tracker.js';
import type { GuardrailTracker, TrackerSnapshot } from './guardrail-tracker.js';
import { QuantileTracker } from './quantile-tracker.js';
import { RateTracker } from './rate-tracker.js';
import { ResponseRateTracker } from './response-rate-tracker.js';
import type { ResponseRateSnapshot } from './response-rate-tracker.js';
import { SampleRatioTracker } from './sample-ratio-tracker.js';

/**
 * The one place that turns a guardrail's kind into its code: a new kind is a new file and a line here.
 * Throws `plan-invalid` for a guardrail that this version cannot measure.
 */
export function createTracker(
  guardrail: Guardrail,
  plan: Plan,
  seed: Histogram | undefined,
  from: TrackerSnapshot | undefined,
): GuardrailTracker {
  switch (guardrail.kind) {
    case 'rate':
      return guardrail.name === 'response_rate'
        ? new ResponseRateTracker(guardrail, plan.stages, isOfRatings(from) ? from : undefined)
        : new RateTracker(guardrail, plan.stages, from?.kind === 'rate' && !isOfRatings(from) ? from : undefined);
    case 'sample-ratio':
      return new SampleRatioTracker(guardrail, plan.stages, from?.kind === 'sample-ratio' ? from : undefined);
    case 'quantile':
      return new QuantileTracker(guardrail, plan.stages, seed, from?.kind === 'quantile' ? from : undefined);
    case 'cuts':
      return new CutsTracker(guardrail, plan.stages, seed, from?.kind === 'cuts' ? from : undefined);
    case 'feedback':
      return new FeedbackTracker(guardrail, plan.stages, from?.kind === 'feedback' ? from : undefined);
  }
}

function isOfRatings(from: TrackerSnapshot | undefined): from is ResponseRateSnapshot {
  return from?.kind === 'rate' && 'window' in from;
}

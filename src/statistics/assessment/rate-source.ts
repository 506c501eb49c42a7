import type { EvidenceRecord, Rate } from '../../evidence/record.js';
import type { GuardrailName, StagePlan } from '../../plan/types.js';

/** Where a rate guardrail finds its events and trials in a record. */
export interface RateSource {
  /** Its events in a sentence. */
  readonly noun: string;
  /** null = not measured. */
  readonly read: (record: EvidenceRecord) => Rate | null;
  /** A stage in which the two variants can be compared on it. */
  readonly comparable: (stage: StagePlan) => boolean;
}

/** Every rate guardrail that records hold today; those made of ratings or pairs come from elsewhere. */
const RATE_SOURCES: Readonly<Partial<Record<GuardrailName, RateSource>>> = {
  error_rate: {
    noun: 'errors',
    read: (record) => record.error,
    comparable: () => true,
  },
  refusal_rate: {
    noun: 'refusals',
    read: (record) => record.refusal ?? null,
    comparable: () => true,
  },
  abort_rate: {
    noun: 'aborts',
    read: (record) => ({ trials: record.error.trials, events: record.aborted }),
    // Nobody waits for a mirrored answer, so nobody ends it: there the two variants differ by design.
    comparable: (stage) => stage.mirror.share === 0,
  },
};

/** The source of a rate guardrail; undefined = not available in this version. */
export function rateSource(name: GuardrailName): RateSource | undefined {
  return RATE_SOURCES[name];
}

import type { EvidenceRecord, Rate } from '../../evidence/record.js';
import type { GuardrailName, StagePlan } from '../../plan/types.js';
import { percent } from './words.js';

/** What a rate guardrail is made of, and where it may be compared. */
export interface RateSource {
  /** Its events in a sentence. */
  readonly noun: string;
  /** null = not measured. */
  readonly read: (record: EvidenceRecord) => Rate | null;
  /** Why a stage shows it and does not compare the variants on it, in words; null = it compares them. */
  readonly onlyShown: (stage: StagePlan) => string | null;
  /** A stage in which the two variants can be compared on it. */
  readonly comparable: (stage: StagePlan) => boolean;
  /** Intervals soon after a change of the split count (method §8.5). */
  readonly usesWarmup: boolean;
  /** What the limit is a ratio of. A ratio of rates is a limit only once stable's own rate is known. */
  readonly limitOf: 'odds' | 'rates';
}

/** The smaller variant's share from which on caches are comparable: a small share has a cold one (method §8.4). */
const LEAST_CACHE_SHARE = 0.25;

/** Shares are decimal fractions; this much is rounding. */
const SHARE_ROUNDING = 1e-9;

/** Every rate guardrail that records hold today; those made of ratings or pairs come from elsewhere. */
const RATE_SOURCES: Readonly<Partial<Record<GuardrailName, RateSource>>> = {
  error_rate: source({
    noun: 'errors',
    read: (record) => record.error,
  }),
  cache_hit_rate: source({
    noun: 'cache misses',
    read: (record) => record.cacheMiss ?? null,
    onlyShown: onlyShownCache,
    usesWarmup: false,
    limitOf: 'rates',
  }),
  refusal_rate: source({
    noun: 'refusals',
    read: (record) => record.refusal ?? null,
  }),
  abort_rate: source({
    noun: 'aborts',
    read: (record) => ({ trials: record.error.trials, events: record.aborted }),
    onlyShown: ({ mirror }) =>
      mirror.share > 0 ? 'only shown: nobody waits for a mirrored answer, so nobody ends one' : null,
  }),
};

/** The source of a rate guardrail; undefined = not available in this version. */
export function rateSource(name: GuardrailName): RateSource | undefined {
  return RATE_SOURCES[name];
}

function source(
  given: Pick<RateSource, 'noun' | 'read'> & Partial<Pick<RateSource, 'onlyShown' | 'usesWarmup' | 'limitOf'>>,
): RateSource {
  const { onlyShown = () => null } = given;
  return {
    usesWarmup: true,
    limitOf: 'odds',
    ...given,
    onlyShown,
    comparable: (stage) => onlyShown(stage) === null,
  };
}

/** Each variant fills a cache of its own with what it serves, so both must serve, and neither too little. */
function onlyShownCache({ weights, mirror }: StagePlan): string | null {
  if (weights.stable === 0) return 'only shown: no-control, stable serves nobody in this stage';
  if (weights.candidate === 0) return 'only shown: no-control, the candidate serves nobody in this stage';
  if (mirror.share > 0) return 'only shown: no-control, mirrored copies fill the cache of the other variant';
  const smaller = weights.candidate <= weights.stable ? 'candidate' : 'stable';
  if (weights[smaller] >= LEAST_CACHE_SHARE - SHARE_ROUNDING) return null;
  return (
    `only shown: ${smaller}'s share of ${percent(weights[smaller])} is below ${percent(LEAST_CACHE_SHARE)}, ` +
    'and a small share has a cold cache because it is small'
  );
}

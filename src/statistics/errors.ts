/** What a statistics function refuses to compute with; stable, for callers that branch on it. */
export type StatisticsErrorCode =
  | 'counts-not-integers'
  | 'events-exceed-trials'
  | 'not-a-number'
  | 'out-of-range'
  | 'weights-do-not-sum-to-one'
  | 'length-mismatch'
  | 'rate-out-of-range'
  | 'ratio-not-whole-buckets';

/**
 * Thrown instead of coercing. Evidence that cannot be true (negative counts, NaN, more events than trials) must stop
 * the rollout for a person, never turn into a verdict.
 */
export class StatisticsError extends Error {
  override readonly name = 'StatisticsError';
  readonly code: StatisticsErrorCode;

  constructor(code: StatisticsErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

import type { FailureCode } from '../../plan/failures.js';

/** The codes of the table of failures that an assessment can raise. */
export type AssessmentErrorCode = Extract<FailureCode, 'evidence-invalid' | 'plan-invalid' | 'stage-mismatch'>;

/**
 * Thrown instead of a verdict. It carries a code of the table of failures like `SluiceError`, which this folder may not
 * load: statistics take only types from the plan.
 */
export class AssessmentError extends Error {
  override readonly name = 'AssessmentError';
  readonly code: AssessmentErrorCode;

  constructor(code: AssessmentErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}

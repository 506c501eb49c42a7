/** One table of failure codes: the `type` of every ApplicationFailure, the `code` of every error people see. */
export const FAILURES = {
  'plan-invalid': { retryable: false, exitCode: 2 },
  'config-invalid': { retryable: false, exitCode: 2 },
  'route-unknown': { retryable: false, exitCode: 2 },
  'candidate-unknown': { retryable: false, exitCode: 2 },
  'route-owned': { retryable: false, exitCode: 1 },
  'split-stale': { retryable: false, exitCode: 1 },
  'fleet-not-converged': { retryable: true, exitCode: 1 },
  'router-unreachable': { retryable: true, exitCode: 1 },
  'router-unauthorized': { retryable: false, exitCode: 1 },
  'router-answer': { retryable: true, exitCode: 1 },
  'ledger-unavailable': { retryable: true, exitCode: 1 },
  'evidence-invalid': { retryable: false, exitCode: 1 },
  'rollout-unknown': { retryable: false, exitCode: 2 },
  'rollout-running': { retryable: false, exitCode: 1 },
  'stage-mismatch': { retryable: false, exitCode: 1 },
  'not-applicable': { retryable: false, exitCode: 1 },
  'temporal-unreachable': { retryable: true, exitCode: 1 },
  'no-worker': { retryable: true, exitCode: 1 },
  'models-unavailable': { retryable: false, exitCode: 1 },
  'port-taken': { retryable: false, exitCode: 2 },
} as const satisfies Readonly<Record<string, { readonly retryable: boolean; readonly exitCode: 1 | 2 }>>;

export type FailureCode = keyof typeof FAILURES;

/** An error with a code from the table; its message names the path, the value and the next step. */
export class SluiceError extends Error {
  override readonly name = 'SluiceError';
  readonly code: FailureCode;

  constructor(code: FailureCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

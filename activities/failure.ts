/** From errors to failures that Temporal keeps: the code as type, retryable or not by the one table. */
import { ApplicationFailure, CancelledFailure, Context } from '@temporalio/activity';
import { TemporalFailure } from '@temporalio/common';
import { FAILURES } from '../src/plan/failures.js';
import type { FailureCode } from '../src/plan/failures.js';

/** Evidence, stacks and bodies stay out of the history: Temporal cuts failures above 4 KB. */
const MAX_MESSAGE = 1_500;

/** The type of the failure of an activity that its worker's shutdown cut off; it is retried on another worker. */
const WORKER_SHUTDOWN = 'worker-shutdown';

/** The type of the failure of a collector whose run has ended: nobody reads it. */
export const RUN_CLOSED = 'run-closed';

/**
 * Makes an activity of a function: its errors become ApplicationFailures with a code as type. What was cancelled is
 * cancelled; what a worker's shutdown cut off fails so that it is retried at once elsewhere.
 */
export function activity<Input, Output>(run: (input: Input) => Promise<Output>): (input: Input) => Promise<Output> {
  return async (input) => {
    try {
      return await run(input);
    } catch (error) {
      throw asFailure(error);
    }
  };
}

/** The failure that an error becomes. */
function asFailure(error: unknown): Error {
  const context = Context.current();
  if (error instanceof TemporalFailure && !(error instanceof CancelledFailure)) return error;
  const coded = codeOf(error);
  if (context.cancellationSignal.aborted && coded === null) {
    return wasShutDown(context)
      ? ApplicationFailure.create({
          type: WORKER_SHUTDOWN,
          message: 'the worker was shut down; the activity goes on where it was on another one',
          nonRetryable: false,
        })
      : new CancelledFailure('cancelled');
  }
  if (coded !== null) {
    return ApplicationFailure.create({
      type: coded,
      message: reasonOf(error).slice(0, MAX_MESSAGE),
      nonRetryable: !FAILURES[coded].retryable,
    });
  }
  return error instanceof Error ? error : new Error('unknown error', { cause: error });
}

/** The code that an error carries: errors of statistics and ledger have one without being a SluiceError. */
export function codeOf(error: unknown): FailureCode | null {
  return error instanceof Error && 'code' in error && isFailureCode(error.code) ? error.code : null;
}

function isFailureCode(code: unknown): code is FailureCode {
  return typeof code === 'string' && Object.hasOwn(FAILURES, code);
}

/** The SDK cancels with this word when the worker's grace is over. */
function wasShutDown(context: Context): boolean {
  const reason: unknown = context.cancellationSignal.reason;
  return (
    context.cancellationDetails?.workerShutdown === true ||
    (reason instanceof Error && reason.message === 'WORKER_SHUTDOWN')
  );
}

/** An error in words. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : 'unknown reason';
}

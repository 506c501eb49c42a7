/** Activities fail as values: a rollout holds, it does not break. */
import { ActivityFailure, ApplicationFailure, isCancellation, rootCause } from '@temporalio/workflow';

export type Attempt<T> =
  | { readonly ok: true; readonly value: T }
  | {
      readonly ok: false;
      /** Code of the table of failures, or `failed` where there is none. */
      readonly code: string;
      /** The failure in the activity's own words. */
      readonly why: string;
    };

/**
 * Waits for an activity and gives its failure as a value.
 * @throws whatever is no failure of an activity, cancellation above all
 */
export async function attempt<T>(call: Promise<T>): Promise<Attempt<T>> {
  try {
    return { ok: true, value: await call };
  } catch (error) {
    if (isCancellation(error) || !(error instanceof ActivityFailure)) throw error;
    const code = error.cause instanceof ApplicationFailure ? (error.cause.type ?? 'failed') : 'failed';
    return { ok: false, code, why: `${error.activityType} failed: ${rootCause(error) ?? error.message}` };
  }
}

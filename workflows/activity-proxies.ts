/**
 * The activities as the pipeline calls them: three profiles of retry, a summary on each call.
 * Attempts are limited by number, not by time: time goes on while no worker runs, and that is nobody's failure.
 */
import { ActivityCancellationType, proxyActivities } from '@temporalio/workflow';
import type { ActivityOptions } from '@temporalio/workflow';
import type { Activities } from '../activities/types.js';
import type { StagePlan } from '../src/plan/types.js';
import { clip } from './words.js';

/** Of the Web UI: 200 bytes; signs beyond ASCII take more than one. */
const SUMMARY_LENGTH = 120;

/** Writes of a split: 10 s each, about 5 minutes of attempts, then a person is asked. */
const WRITE: ActivityOptions = {
  startToCloseTimeout: '10 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '30 seconds', maximumAttempts: 14 },
};

/** The write of a rollback: the workflow repeats it without limit, and names who is outstanding in between. */
const ROLLBACK_WRITE: ActivityOptions = {
  startToCloseTimeout: '10 seconds',
  retry: {
    initialInterval: '200 milliseconds',
    backoffCoefficient: 2,
    maximumInterval: '5 seconds',
    maximumAttempts: 6,
  },
};

/** Reading and assessing: about 10 minutes of attempts. */
const READ: ActivityOptions = {
  startToCloseTimeout: '1 minute',
  retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute', maximumAttempts: 15 },
};

/** People and the audit: best effort, nothing waits for it. */
const TELL: ActivityOptions = {
  startToCloseTimeout: '15 seconds',
  retry: { initialInterval: '1 second', backoffCoefficient: 4, maximumInterval: '1 minute', maximumAttempts: 5 },
};

export type Calls = {
  readonly [Name in keyof Activities]: (
    input: Parameters<Activities[Name]>[0],
    summary: string,
    options?: ActivityOptions,
  ) => ReturnType<Activities[Name]>;
};

/** The activities on a task queue; null = the workflow's own. */
export function calls(taskQueue: string | null): Calls {
  const activities = proxyActivities<Activities>({
    startToCloseTimeout: '1 minute',
    // A call whose answer nobody waits for any more must not delay a rollback. A write that lands late is refused by its generation.
    cancellationType: ActivityCancellationType.TRY_CANCEL,
    ...(taskQueue === null ? {} : { taskQueue }),
  });
  const withSummary = (profile: ActivityOptions, summary: string, more: ActivityOptions = {}): ActivityOptions => ({
    ...profile,
    ...more,
    summary: clip(summary, SUMMARY_LENGTH),
  });
  return {
    openRollout: (input, summary) => activities.openRollout.executeWithOptions(withSummary(READ, summary), [input]),
    setSplit: (input, summary) =>
      activities.setSplit.executeWithOptions(withSummary(input.confirm === 'reach' ? ROLLBACK_WRITE : WRITE, summary), [
        input,
      ]),
    sampleTraffic: (input, summary, options) =>
      activities.sampleTraffic.executeWithOptions(withSummary(READ, summary, options), [input]),
    assess: (input, summary, options) =>
      activities.assess.executeWithOptions(withSummary(READ, summary, options), [input]),
    checkGates: (input, summary, options) =>
      activities.checkGates.executeWithOptions(withSummary(READ, summary, options), [input]),
    reconcileRoutes: (input, summary) =>
      activities.reconcileRoutes.executeWithOptions(withSummary(WRITE, summary), [input]),
    notify: (input, summary) => activities.notify.executeWithOptions(withSummary(TELL, summary), [input]),
    recordDecision: (input, summary) =>
      activities.recordDecision.executeWithOptions(withSummary(TELL, summary), [input]),
  };
}

/**
 * `sampleTraffic` lasts as long as it is asked to; that its worker has died shows by its heartbeats. Each worker that dies or
 * is replaced takes an attempt.
 */
export function samplingOptions(stage: StagePlan, forMs: number): ActivityOptions {
  return {
    startToCloseTimeout: forMs + 600_000,
    heartbeatTimeout: heartbeatTimeoutMs(stage),
    retry: { initialInterval: '1 second', backoffCoefficient: 2, maximumInterval: '1 minute', maximumAttempts: 25 },
  };
}

/** How long a collector may be silent before it counts as dead, and at most renew after its end. */
export function heartbeatTimeoutMs({ intervalMs }: StagePlan): number {
  return Math.min(60_000, Math.max(5_000, 3 * intervalMs));
}

/** The look behind a rollback: the traffic has been moved, and its evidence is worth a moment, but no more. */
export const BEST_EFFORT: ActivityOptions = {
  startToCloseTimeout: '10 seconds',
  scheduleToCloseTimeout: '20 seconds',
  retry: { initialInterval: '500 milliseconds', backoffCoefficient: 2, maximumAttempts: 4 },
};

/** Checks of the user's own may take long; each attempt is bounded by their own time limits. */
export const CHECKS: ActivityOptions = { startToCloseTimeout: '1 hour', heartbeatTimeout: '1 minute' };

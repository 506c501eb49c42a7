/**
 * What Temporal says of the run, and with it Temporal's time: a worker's wall clock may be off by minutes, so time is the
 * start that Temporal saw plus what a monotonic clock has counted since.
 */
import type { Info } from '@temporalio/activity';
import type { Clock } from '../dependencies.js';
import type { DescribeRun } from '../../src/temporal/describe-run.js';

/** After a question without answer the next one waits, ms. */
const RETRY_MS = 5_000;

type AttemptInfo = Pick<
  Info,
  'activityId' | 'workflowExecution' | 'scheduledTimestampMs' | 'currentAttemptScheduledTimestampMs'
>;

export interface TemporalTimeOptions {
  readonly clock: Clock;
  readonly describeRun: DescribeRun;
  readonly info: AttemptInfo;
  readonly warn: (message: string) => void;
}

export class TemporalTime {
  readonly #options: TemporalTimeOptions;
  readonly #startedMonotonic: number;
  #attemptStartedAt: number | null = null;
  #openSeenAt: number | null = null;
  #asking: Promise<void> | null = null;
  #askAgainAt = 0;
  #closed = false;

  constructor(options: TemporalTimeOptions) {
    this.#options = options;
    this.#startedMonotonic = options.clock.monotonicMs();
  }

  /** Temporal's time, Unix ms. */
  now(): number {
    return (
      (this.#attemptStartedAt ?? this.#options.info.currentAttemptScheduledTimestampMs) +
      this.#options.clock.monotonicMs() -
      this.#startedMonotonic
    );
  }

  /** False while only the schedule is known: `now` is then a lower bound, since the task may have waited in its queue. */
  get exact(): boolean {
    return this.#attemptStartedAt !== null;
  }

  /** Since the first attempt was scheduled, ms. */
  sinceScheduledMs(): number {
    return this.now() - this.#options.info.scheduledTimestampMs;
  }

  /** When Temporal last said that the run is open, monotonic ms; null = never in this attempt. */
  get openSeenAt(): number | null {
    return this.#openSeenAt;
  }

  /** Temporal said that the run has ended. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Asks again, unless a question is under way or the last one has just failed. Never rejects. */
  refresh(): Promise<void> {
    const { clock } = this.#options;
    if (this.#asking !== null) return this.#asking;
    if (clock.monotonicMs() < this.#askAgainAt) return Promise.resolve();
    this.#asking = this.#ask().finally(() => {
      this.#asking = null;
    });
    return this.#asking;
  }

  async #ask(): Promise<void> {
    const { clock, describeRun, info, warn } = this.#options;
    const { workflowExecution } = info;
    if (workflowExecution === undefined) return;
    const askedAt = clock.monotonicMs();
    try {
      const { open, attemptStartedAt } = await describeRun({ ...workflowExecution, activityId: info.activityId });
      this.#closed = !open;
      // What is known is as old as the question.
      if (open) this.#openSeenAt = askedAt;
      this.#attemptStartedAt ??= attemptStartedAt;
    } catch (error) {
      this.#askAgainAt = clock.monotonicMs() + RETRY_MS;
      const reason = error instanceof Error ? error.message : 'unknown reason';
      warn(
        `Temporal does not say whether ${workflowExecution.workflowId} is open: ${reason}; no lease is renewed until it does`,
      );
    }
  }
}

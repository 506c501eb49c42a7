/** What activities need of the world, given to them once by whoever starts the worker. */
import { setTimeout as delay } from 'node:timers/promises';
import { log as activityLog } from '@temporalio/activity';
import type { TrafficBackend } from '../src/backends/traffic-backend.js';
import type { Ledger } from '../src/ledger/ledger.js';
import type { SluiceConfig } from '../src/plan/config.js';
import type { DescribeRun } from '../src/temporal/describe-run.js';

export interface Clock {
  /** This machine's wall clock, Unix ms: for people and logs, never compared with a router's. */
  now(): number;
  /** Ms since some moment; never jumps. */
  monotonicMs(): number;
  /** Rejects with the signal's reason when it aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export interface ActivityLog {
  info(message: string, attributes?: Readonly<Record<string, unknown>>): void;
  warn(message: string, attributes?: Readonly<Record<string, unknown>>): void;
}

export interface ActivityDependencies {
  readonly backend: TrafficBackend;
  readonly ledger: Ledger;
  /** Read at each call: `sluice.yaml` may change while a rollout runs. */
  readonly config: () => SluiceConfig;
  /** Where keys, tokens and webhook URLs are. @default process.env */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Temporal's word on the run of a workflow: without it no lease is renewed. */
  readonly describeRun: DescribeRun;
  /** @default the machine's */
  readonly clock?: Clock;
  /** @default the activity's own */
  readonly log?: ActivityLog;
}

/** The dependencies with their defaults filled in. */
export type World = Required<ActivityDependencies>;

const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  async sleep(ms, signal) {
    try {
      await delay(ms, undefined, { signal });
    } catch (error) {
      // Node wraps the reason in an AbortError of its own.
      signal.throwIfAborted();
      throw error;
    }
  },
};

/** Fills in the defaults. */
export function worldOf(dependencies: ActivityDependencies): World {
  return {
    ...dependencies,
    env: dependencies.env ?? process.env,
    clock: dependencies.clock ?? systemClock,
    log: dependencies.log ?? {
      info: (message, attributes): void => void activityLog.info(message, { ...attributes }),
      warn: (message, attributes): void => void activityLog.warn(message, { ...attributes }),
    },
  };
}

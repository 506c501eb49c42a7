/** Exit codes of the commands, as the design page promises them to scripts. */
import { FAILURES, SluiceError } from '../plan/failures.js';
import type { RolloutStatus } from '../plan/status.js';

export const EXIT = { ok: 0, error: 1, usage: 2, rolledBack: 3, held: 4, timedOut: 5, interrupted: 130 } as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** For `status`, `start --wait` and the demo: where a rollout stands. */
export function exitCodeOf(status: Pick<RolloutStatus, 'state'>): ExitCode {
  switch (status.state) {
    case 'running':
    case 'paused':
    case 'promoted':
      return EXIT.ok;
    case 'held':
      return EXIT.held;
    case 'rolling-back':
    case 'rolled-back':
    case 'cancelled':
      return EXIT.rolledBack;
    case 'failed':
      return EXIT.error;
  }
}

/** For a command that failed: 2 when the input was at fault, else 1. */
export function exitCodeOfError(error: unknown): ExitCode {
  return error instanceof SluiceError ? FAILURES[error.code].exitCode : EXIT.error;
}

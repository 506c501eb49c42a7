/** Chores of a worker beside the tasks of its queue: repeated as long as it lives, whatever a single pass does. */

export interface Chore {
  /** What it is, for the log: "routes reconciled". */
  readonly name: string;
  readonly everyMs: number;
  readonly pass: (signal: AbortSignal) => Promise<unknown>;
}

export interface PeriodicDependencies {
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly log: { warn(message: string): void };
}

/** Runs a chore at once and then every `everyMs`, until `signal` aborts. A failed pass is told and the next one comes. */
export async function runPeriodically(
  chore: Chore,
  dependencies: PeriodicDependencies,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    try {
      await chore.pass(signal);
    } catch (error) {
      if (signal.aborted) return;
      const reason = error instanceof Error ? error.message : 'unknown reason';
      dependencies.log.warn(
        `not done: ${chore.name}: ${reason}; tried again in ${Math.round(chore.everyMs / 1_000)} s`,
      );
    }
    await dependencies.sleep(chore.everyMs, signal).catch(() => undefined);
  }
}

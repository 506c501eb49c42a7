import { condition } from '@temporalio/workflow';
import { currentStage } from './run.js';
import type { Run } from './run.js';
import { span } from './words.js';

const FIRST_RETRY_MS = 60_000;
const LAST_RETRY_MS = 3_600_000;
/** Rounds of evidence that may follow each other within a second before the loop slows down. */
const QUICK_ROUNDS = 8;

/** Waits before a held rollout tries again what has run out of attempts: from a minute to an hour. True when woken before. */
export async function waitBeforeRetry(run: Run, wake: () => boolean): Promise<boolean> {
  const { failures } = run.state;
  const delayMs = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(10, failures - 1));
  return condition(() => run.state.commands.length > 0 || wake(), delayMs, {
    summary: `${currentStage(run.state).name} is held: tries again in ${span(delayMs)}`,
  });
}

/** Waits for a command, or for `wake`, which must be pure. */
export async function untilWoken(run: Run, wake: () => boolean): Promise<void> {
  await condition(() => run.state.commands.length > 0 || wake());
}

/**
 * Slows a loop down whose rounds come back at once, again and again: a collector gone wrong must not fill the history, since
 * Temporal ends a workflow whose history is full, and ends it without a rollback.
 */
export function createCalm(): (run: Run) => Promise<void> {
  let quickRounds = 0;
  let lastRound = 0;
  return async (run) => {
    const now = Date.now();
    quickRounds = now - lastRound < 1_000 ? quickRounds + 1 : 0;
    lastRound = now;
    if (quickRounds < QUICK_ROUNDS) return;
    const delayMs = Math.max(1_000, currentStage(run.state).intervalMs);
    await condition(() => run.state.commands.length > 0, delayMs, {
      summary: `rounds come back at once: ${span(delayMs)} of calm`,
    });
  };
}

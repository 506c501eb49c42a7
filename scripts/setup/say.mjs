/** Everything the set-up says goes to standard error, so that a command's own output stays clean. */
export function say(/** @type {string} */ line) {
  process.stderr.write(`sluice: ${line}\n`);
}

/**
 * A failure with the next step to take: printed as it is, without a stack.
 */
export class SetupError extends Error {
  /** @override */
  name = 'SetupError';
}

/**
 * Says every ten seconds that a slow step is still running, so that nobody takes it for hung.
 *
 * @template T
 * @param {string} what
 * @param {() => Promise<T>} step
 * @returns {Promise<T>}
 */
export async function withProgress(what, step) {
  const started = Date.now();
  const timer = setInterval(() => {
    say(`… ${what} (${Math.round((Date.now() - started) / 1000)} s)`);
  }, 10_000);
  try {
    return await step();
  } finally {
    clearInterval(timer);
  }
}

/**
 * Runs a script's main function and turns a failure into one message and exit code 1.
 *
 * @param {() => Promise<void>} main
 */
export async function runMain(main) {
  try {
    await main();
  } catch (error) {
    say(
      error instanceof SetupError
        ? error.message
        : error instanceof Error
          ? (error.stack ?? error.message)
          : String(error),
    );
    process.exitCode = 1;
  }
}

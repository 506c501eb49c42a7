/** The child's side of the embedded stack: says when it is ready, and ends when its parent is gone. */

/** Tells the parent, when there is one, that this process serves; `info` is JSON. */
export function reportReady(info: Readonly<Record<string, string | number>>): void {
  process.send?.({ kind: 'ready', info });
}

/**
 * Resolves on SIGTERM, SIGINT, or when the parent that started this process has died. Callers then shut down in order;
 * a second signal ends the process at once.
 */
export async function untilStopped(): Promise<string> {
  return new Promise((resolve) => {
    const stop = (why: string): void => {
      process.once('SIGINT', () => process.exit(130));
      // The channel would keep a process alive that has nothing left to do.
      process.channel?.unref();
      resolve(why);
    };
    process.once('SIGTERM', () => stop('SIGTERM'));
    process.once('SIGINT', () => stop('SIGINT'));
    if (process.send !== undefined) process.once('disconnect', () => stop('the parent process ended'));
  });
}

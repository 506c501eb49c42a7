/** Ctrl-C or SIGTERM while a demo runs: what it started has to end first. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
}

/** Rejects with `Interrupted` on the first of the two signals; a second one ends the process at once. */
export function interruption(): Promise<never> {
  const signalled = new Promise<never>((_, reject) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.once(signal, () => {
        // An exit, not a kill: whoever has to end something at once hears of it.
        process.once(signal, () => process.exit(130));
        reject(new Interrupted(`ended by ${signal}`));
      });
    }
  });
  // Nobody waits for it between two rollouts.
  signalled.catch(() => undefined);
  return signalled;
}

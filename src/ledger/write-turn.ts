/** One writer at a time per SQLite file in this process, whatever number of ledgers is open on it. */

type Turn = <Result>(work: () => Promise<Result>) => Promise<Result>;

const last = new Map<string | symbol, Promise<unknown>>();

/**
 * Runs work on `file` one after the other. SQLite's own waiting blocks the process, so two connections of one process
 * would wait for each other until the time is up.
 */
export function writeTurnOf(file: string | symbol): Turn {
  return async (work) => {
    const before = last.get(file);
    const mine = (async () => {
      await before?.catch(() => undefined);
      return work();
    })();
    last.set(file, mine);
    try {
      return await mine;
    } finally {
      if (last.get(file) === mine) last.delete(file);
    }
  };
}

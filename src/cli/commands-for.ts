import type { Register } from './program.js';

/**
 * The commands to register for a call. A router stands in the request path for weeks: what only other commands need (the
 * SDK, the ledger, the statistics: some 50 MB and most of a second) is not loaded into it.
 */
export async function commandsFor(name: string | undefined): Promise<readonly Register[]> {
  if (name === 'router') return [(await import('./commands/router.js')).registerRouter];
  return (await import('./all-commands.js')).ALL_COMMANDS;
}

import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

/** `gateway` has one core for itself, everything else of the bench the other one. */
export type Core = 'gateway' | 'rest';

export interface Pinning {
  readonly pinned: boolean;
  readonly realTime: boolean;
  /** Program and arguments that run a command on its core. */
  command(core: Core, command: readonly string[]): readonly string[];
}

function works(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

/** `realTime`: before everything else on the machine (`chrt -r 1`), for a machine that others use; throws where that is refused. */
export function pinning(realTime: boolean): Pinning {
  if (realTime && !works('chrt', '-r', '1', 'true')) {
    throw new Error('--real-time: chrt is missing or not allowed; run as root, or without it');
  }
  const pinned = availableParallelism() > 1 && works('taskset', '-c', '0,1', 'true');
  return {
    pinned,
    realTime,
    command: (core, command) => [
      ...(pinned ? ['taskset', '-c', core === 'gateway' ? '0' : '1'] : []),
      ...(realTime ? ['chrt', '-r', '1'] : []),
      ...command,
    ],
  };
}

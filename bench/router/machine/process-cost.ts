import { readdirSync, readFileSync } from 'node:fs';

/** A process and everything that it has started, as the operating system knows them. Linux only. */
export interface ProcessTree {
  readonly processes: readonly number[];
}

/** null where there is no /proc. */
export function processTree(root: number): ProcessTree | null {
  const children = new Map<number, number[]>();
  for (const entry of entriesOf('/proc')) {
    const process = Number(entry);
    if (!Number.isInteger(process)) continue;
    // The name in brackets may hold anything; what follows it does not.
    const parent = Number(textOf(`/proc/${entry}/stat`)?.split(') ').at(-1)?.split(' ')[1]);
    children.set(parent, [...(children.get(parent) ?? []), process]);
  }
  if (children.size === 0) return null;
  const processes = [root];
  for (let at = 0; at < processes.length; at += 1) processes.push(...(children.get(processes[at] ?? 0) ?? []));
  return { processes };
}

/** Time on a processor until now, µs: the scheduler's own count, summed over all threads. */
export function processorMicroseconds(tree: ProcessTree): number {
  let nanoseconds = 0;
  for (const process of tree.processes) {
    for (const thread of entriesOf(`/proc/${process}/task`)) {
      nanoseconds += Number(textOf(`/proc/${process}/task/${thread}/schedstat`)?.split(' ')[0] ?? 0);
    }
  }
  return nanoseconds / 1_000;
}

/** Resident memory, bytes. Pages that processes share are counted for each. */
export function residentBytes(tree: ProcessTree): number {
  let kibibytes = 0;
  for (const process of tree.processes) {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(textOf(`/proc/${process}/status`) ?? '');
    kibibytes += Number(match?.[1] ?? 0);
  }
  return kibibytes * 1024;
}

function entriesOf(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function textOf(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return null;
  }
}

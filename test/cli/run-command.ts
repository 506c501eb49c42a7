import { stripVTControlCharacters } from 'node:util';
import type { Io } from '../../src/cli/io.js';
import { run } from '../../src/cli/program.js';

export interface CommandOutcome {
  readonly exitCode: number;
  /** Standard output and standard error, without colours. */
  readonly printed: string;
  readonly noted: string;
}

/** Runs a command in process, as if nobody sat at the terminal unless `answers` are given. */
export async function runCommand(
  args: readonly string[],
  surroundings: Partial<Pick<Io, 'cwd' | 'env' | 'confirm' | 'interactive'>> = {},
): Promise<CommandOutcome> {
  const printed: string[] = [];
  const noted: string[] = [];
  const exitCode = await run(args, {
    env: {},
    cwd: '/',
    interactive: false,
    print: (text) => void printed.push(text),
    note: (text) => void noted.push(text),
    redraw: (text) => void printed.push(text),
    confirm: () => Promise.resolve(false),
    ...surroundings,
  });
  const plain = (parts: readonly string[]): string => stripVTControlCharacters(parts.join('\n'));
  return { exitCode, printed: plain(printed), noted: plain(noted) };
}

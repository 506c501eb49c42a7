/** The command line as a whole: every command registers itself; one place turns errors into exit codes. */
import { Command, CommanderError } from 'commander';
import { SluiceError } from '../plan/failures.js';
import { commandsFor } from './commands-for.js';
import { EXIT, exitCodeOfError } from './exit-codes.js';
import { Interrupted } from './demo/interruption.js';
import type { Io } from './io.js';
import { version } from './version.js';

/** A command sets its exit code here when it is not 0; it throws when it failed. */
export interface Result {
  exitCode: number;
}

export type Register = (program: Command, io: Io, result: Result) => void;

/**
 * Runs one command.
 * @returns its exit code: 0 took effect, 1 error, 2 usage, 3 rolled back, 4 held, 5 timed out
 */
export async function run(args: readonly string[], io: Io): Promise<number> {
  const result: Result = { exitCode: EXIT.ok };
  const program = new Command('sluice')
    .description('Durable rollouts for AI models: shadow, 5%, 25%, 50%, flip, on evidence.')
    .version(version())
    .showHelpAfterError('(--help shows how to use it)')
    .configureOutput({
      writeOut: (text) => io.print(text.trimEnd()),
      writeErr: (text) => io.note(text.trimEnd()),
    })
    .exitOverride();
  for (const register of await commandsFor(args[0])) register(program, io, result);
  // Commander asks for this on each command: without it a usage error would end the process.
  for (const command of program.commands) command.exitOverride();
  try {
    await program.parseAsync([...args], { from: 'user' });
    return result.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
    io.note(`sluice: ${messageOf(error)}`);
    return error instanceof Interrupted ? EXIT.interrupted : exitCodeOfError(error);
  }
}

function messageOf(error: unknown): string {
  if (error instanceof SluiceError || error instanceof Interrupted) return error.message;
  if (!(error instanceof Error)) return String(error);
  // Not one of ours: the stack is what a report of the bug needs.
  return error.stack ?? error.message;
}

/** Programs run to their end, with their output captured. */
import { spawn } from 'node:child_process';

export interface ProgramResult {
  /** 127 when there is no such program. */
  readonly code: number;
  /** Standard output and standard error, as they came. */
  readonly output: string;
}

export interface ProgramOptions {
  readonly env?: NodeJS.ProcessEnv;
  /** Called with each whole line of output. */
  readonly onLine?: (line: string) => void;
}

/** Runs a program with nothing on standard input. Never rejects: what went wrong is in the result. */
export async function runProgram(
  command: string,
  args: readonly string[],
  { env = process.env, onLine }: ProgramOptions = {},
): Promise<ProgramResult> {
  return new Promise((resolve) => {
    let output = '';
    let line = '';
    const child = spawn(command, [...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        const lines = (line + text).split('\n');
        line = lines.pop() ?? '';
        for (const whole of lines) onLine?.(whole);
      });
    }
    child.once('error', (error) => resolve({ code: 127, output: output + error.message }));
    child.once('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

/** The last lines of a program's output, indented, for an error message. */
export function lastLines(output: string, count = 8): string {
  return output
    .trimEnd()
    .split('\n')
    .slice(-count)
    .map((line) => `    ${line}`)
    .join('\n');
}

const PROGRESS_EVERY_MS = 10_000;

/** Says every ten seconds that a slow step is still running, so that nobody takes it for hung. */
export async function withProgress<Result>(
  what: string,
  note: (text: string) => void,
  step: () => Promise<Result>,
): Promise<Result> {
  const began = Date.now();
  const timer = setInterval(() => note(`… ${what} (${Math.round((Date.now() - began) / 1000)} s)`), PROGRESS_EVERY_MS);
  try {
    return await step();
  } finally {
    clearInterval(timer);
  }
}

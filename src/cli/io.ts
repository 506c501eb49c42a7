/** What a command touches of its surroundings, so that tests can run it in process. */
import { createInterface } from 'node:readline/promises';

export interface Io {
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** A person sits at the terminal: colour, live views, questions. */
  readonly interactive: boolean;
  /** One line (or one JSON value) on standard output. */
  print(text: string): void;
  /** Progress, warnings and errors: standard error, so that `--json` stays one value. */
  note(text: string): void;
  /** Redraws a live view in place; prints it once more when the output is no terminal. */
  redraw(text: string): void;
  /** Yes or no; false when nobody can answer. */
  confirm(question: string): Promise<boolean>;
}

/** The surroundings of the real process. */
export function processIo(): Io {
  const interactive = process.stdout.isTTY === true && process.stdin.isTTY === true;
  let drawn = 0;
  return {
    env: process.env,
    cwd: process.cwd(),
    interactive,
    print: (text) => {
      drawn = 0;
      process.stdout.write(`${text}\n`);
    },
    note: (text) => {
      drawn = 0;
      process.stderr.write(`${text}\n`);
    },
    redraw: (text) => {
      if (process.stdout.isTTY !== true) {
        process.stdout.write(`${text}\n`);
        return;
      }
      // Up over the last drawing, then clear to the end of the screen.
      if (drawn > 0) process.stdout.write(`\u001b[${String(drawn)}A\u001b[0J`);
      process.stdout.write(`${text}\n`);
      drawn = text.split('\n').length;
    },
    confirm: async (question) => {
      if (!interactive) return false;
      const prompt = createInterface({ input: process.stdin, output: process.stderr });
      try {
        return /^y(es)?$/i.test((await prompt.question(`${question} [y/N] `)).trim());
      } finally {
        prompt.close();
      }
    },
  };
}

import { run } from './run.mjs';
import { say } from './say.mjs';

const candidates = [['python3', '-m', 'pip'], ['python', '-m', 'pip'], ['pip3'], ['pip']];

/** @typedef {((args: string[]) => ReturnType<typeof run>) | null} Pip */

/** @type {Promise<Pip> | undefined} */
let search;

/**
 * Finds a pip that runs.
 *
 * @returns {Promise<Pip>} null, after saying why once, when there is none
 */
export async function findPip() {
  search ??= searchPip();
  return search;
}

/** @returns {Promise<Pip>} */
async function searchPip() {
  let python = false;
  for (const [command = '', ...prefix] of candidates) {
    const { code, found } = await run(command, [...prefix, '--version']);
    if (code === 0) return async (args) => run(command, [...prefix, ...args]);
    python ||= found && command.startsWith('python');
  }
  say(
    python
      ? 'Python is here but has no pip module (on Debian and Ubuntu: apt-get install python3-pip)'
      : 'there is neither python3 nor pip on the PATH',
  );
  return null;
}

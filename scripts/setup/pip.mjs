import { run } from './run.mjs';
import { say } from './say.mjs';

const candidates = [['python3', '-m', 'pip'], ['python', '-m', 'pip'], ['pip3'], ['pip']];

/**
 * Finds a pip that runs.
 *
 * @returns {Promise<((args: string[]) => ReturnType<typeof run>) | null>} null, after saying why, when there is none
 */
export async function findPip() {
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

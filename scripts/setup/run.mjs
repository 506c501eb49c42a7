import { spawn } from 'node:child_process';

/**
 * Runs a program with its output captured, nothing on standard input.
 *
 * @param {string} command
 * @param {string[]} args
 * @param {import('node:child_process').SpawnOptions} [options]
 * @returns {Promise<{ code: number, output: string, found: boolean }>} `found` is false when there is no such program
 */
export async function run(command, args, options = {}) {
  return new Promise((resolve) => {
    let output = '';
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
    const collect = (/** @type {Buffer} */ chunk) => {
      output += chunk.toString();
    };
    child.stdout?.on('data', collect);
    child.stderr?.on('data', collect);
    child.on('error', (error) => {
      resolve({ code: 127, output: output + error.message, found: false });
    });
    child.on('close', (code) => {
      resolve({ code: code ?? 1, output, found: true });
    });
  });
}

/** The last lines of a program's output, indented, for an error message. */
export function tail(/** @type {string} */ output, lines = 15) {
  return output
    .trimEnd()
    .split('\n')
    .slice(-lines)
    .map((line) => `    ${line}`)
    .join('\n');
}

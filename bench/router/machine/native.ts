import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { inBench } from '../settings.js';

const COMPILER = process.env['CC'] ?? 'cc';
const SOURCES = resolve('bench', 'router', 'native');

/**
 * Compiles one of the bench's programs in C, once per source, and returns its path. A mock and a load generator in Node
 * would cost more than what they measure.
 */
export function nativeProgram(name: 'mock' | 'load'): string {
  const source = join(SOURCES, `${name}.c`);
  const digest = createHash('sha256')
    .update(readFileSync(source))
    .update(readFileSync(join(SOURCES, 'common.h')));
  const program = inBench('native', `${name}-${digest.digest('hex').slice(0, 12)}`);
  if (existsSync(program)) return program;
  if (spawnSync(COMPILER, ['--version'], { stdio: 'ignore' }).status !== 0) {
    throw new Error(
      `the mock upstream and the load generator need a C compiler, and "${COMPILER}" does not run; install gcc or set CC`,
    );
  }
  mkdirSync(inBench('native'), { recursive: true });
  execFileSync(COMPILER, ['-O2', '-Wall', '-Wextra', '-o', `${program}.new`, source], { stdio: 'inherit' });
  renameSync(`${program}.new`, program);
  return program;
}

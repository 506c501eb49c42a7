import { readdirSync } from 'node:fs';
import { resolveTemporalBinary } from '../../temporal/binaries.js';
import { fail, ok, warn, wordsOf, type Finding } from './finding.js';

/** Node, the C library that Temporal's core needs, and the Temporal CLI. */
export function machineFindings(env: NodeJS.ProcessEnv): readonly Finding[] {
  return [
    ok(`Node ${process.versions.node} on ${process.platform} ${process.arch}`),
    ...libcFinding(),
    cliFinding(env),
  ];
}

/** Temporal's native core crashes on musl: better said here than by a segmentation fault. */
function libcFinding(): Finding[] {
  if (process.platform !== 'linux') return [];
  const musl = readdirSync('/lib').some((name) => name.startsWith('ld-musl-'));
  return musl
    ? [
        fail(
          'this Linux has musl, which the Temporal SDK does not run on',
          'use an image with glibc, such as node:20-slim',
        ),
      ]
    : [];
}

function cliFinding(env: NodeJS.ProcessEnv): Finding {
  try {
    const found = resolveTemporalBinary('temporal', { env });
    if (found.path !== null) return ok(`Temporal CLI ${found.path} (from ${found.from})`);
    return warn(
      'no Temporal CLI: sluice up and sluice temporal need it, a worker does not',
      'npm run setup, or put temporal on the PATH',
    );
  } catch (error) {
    return fail(wordsOf(error), 'correct the variable');
  }
}

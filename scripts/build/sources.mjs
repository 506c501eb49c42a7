import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { inRoot, root } from '../setup/root.mjs';

const sourceDirectories = ['src', 'workflows', 'activities'];
const alsoMatters = ['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.build.json', 'scripts/build.mjs'];

/** A digest of name, size and time of everything that is compiled: cheap enough to take on every command. */
export function sourcesDigest() {
  const hash = createHash('sha256');
  for (const path of [
    ...sourceDirectories.flatMap((name) => listFiles(inRoot(name))),
    ...alsoMatters.map((name) => inRoot(name)),
  ]) {
    const { size, mtimeMs } = statSync(path);
    hash.update(`${relative(root, path)} ${size} ${mtimeMs}\n`);
  }
  return hash.digest('hex');
}

/** Deletes what an earlier build made of a source file that is gone. */
export function removeOrphans() {
  for (const directory of sourceDirectories) {
    for (const path of listFiles(inRoot('dist', directory))) {
      const source = inRoot(relative(inRoot('dist'), path).replace(/(\.d\.ts|\.js)(\.map)?$/, '.ts'));
      if (!existsSync(source)) rmSync(path);
    }
  }
}

/**
 * The emitted files that the workflow bundle is made of, by following the relative imports of the emitted entry.
 * Types are gone from there, so that a change of an activity's code is none of the bundle.
 *
 * @param {string} entry
 */
export function bundledFilesDigest(entry) {
  const hash = createHash('sha256');
  const seen = new Set([entry]);
  for (const path of seen) {
    const code = readFileSync(path, 'utf8');
    hash.update(code);
    for (const [, specifier = ''] of code.matchAll(/(?:from|import)\s*\(?\s*['"](\.[^'"]+)['"]/g)) {
      const imported = join(path, '..', specifier);
      if (existsSync(imported)) seen.add(imported);
    }
  }
  return hash.digest('hex');
}

/** @returns {string[]} */
function listFiles(/** @type {string} */ directory) {
  if (!existsSync(directory)) return [];
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => entry.parentPath + sep + entry.name)
    .toSorted();
}

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

export interface Import {
  /** The path from the root when the specifier is relative, else the specifier. */
  readonly target: string;
  /** Whether the compiler erases it. */
  readonly typeOnly: boolean;
}

const statement = /^[ \t]*(import|export)\b([^;'"`]*?)\bfrom\s*['"]([^'"]+)['"]|\bimport\s*\(?\s*['"]([^'"]+)['"]/gm;

/** The imports in a module's text. `import { type A }` is none of the erased: it still loads the module. */
export function parseImports(text: string): { specifier: string; typeOnly: boolean }[] {
  const code = text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
  return [...code.matchAll(statement)].map(([, , clause = '', from, bare]) => ({
    specifier: from ?? bare ?? '',
    typeOnly: from !== undefined && /^\s+type\s+\S/.test(clause),
  }));
}

export function importsOf(file: string): Import[] {
  return parseImports(readFileSync(join(root, file), 'utf8')).map(({ specifier, typeOnly }) => ({
    target: specifier.startsWith('.') ? sourcePath(join(file, '..', specifier)) : specifier,
    typeOnly,
  }));
}

/** Every TypeScript file below a directory, as paths from the root. */
export function filesBelow(directory: string): string[] {
  const absolute = join(root, directory);
  if (!existsSync(absolute)) return [];
  return readdirSync(absolute, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

/**
 * Everything that is loaded when the given files are, with the chain of files that leads there.
 * A package is an end: what it loads is not looked at.
 */
export function reachableFrom(files: readonly string[]): Map<string, readonly string[]> {
  const chains = new Map<string, readonly string[]>(files.map((file) => [file, [file]]));
  for (const [file, chain] of chains) {
    if (!existsSync(join(root, file))) continue;
    for (const { target, typeOnly } of importsOf(file)) {
      if (!typeOnly && !chains.has(target)) chains.set(target, [...chain, target]);
    }
  }
  return chains;
}

function sourcePath(path: string): string {
  return path.replace(/\.js$/, '.ts');
}

import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Temporal's programs that sluice starts by itself: the CLI with its dev server, and the server that skips time. */
export type TemporalBinary = 'temporal' | 'temporal-test-server';

/** Where a program was found; `download` means nowhere, and the SDK fetches its own on first use. */
export type ResolvedBinary =
  | { readonly from: 'environment' | 'path' | 'setup'; readonly path: string }
  | { readonly from: 'download'; readonly path: null };

/** What the `executable` option of `@temporalio/testing` takes. */
export type TemporalExecutable =
  | { readonly type: 'existing-path'; readonly path: string }
  | { readonly type: 'cached-download' };

export interface BinarySearch {
  /** @default process.env */
  readonly env?: NodeJS.ProcessEnv;
  /**
   * Where the search for `.sluice/tools.json` begins, each with its parents.
   * @default the working directory, then this module's own directory
   */
  readonly directories?: readonly string[];
}

const variables = {
  temporal: 'TEMPORAL_CLI_PATH',
  'temporal-test-server': 'TEMPORAL_TEST_SERVER_PATH',
} as const satisfies Record<TemporalBinary, string>;

const toolKeys = {
  temporal: 'temporalCli',
  'temporal-test-server': 'temporalTestServer',
} as const satisfies Record<TemporalBinary, string>;

/**
 * Finds one of Temporal's programs: by its environment variable, else on the PATH, else as the set-up provided it,
 * else not at all.
 *
 * @throws Error when the environment variable names something that cannot be run
 */
export function resolveTemporalBinary(binary: TemporalBinary, search: BinarySearch = {}): ResolvedBinary {
  const env = search.env ?? process.env;
  const named = env[variables[binary]];
  if (named !== undefined && named !== '') {
    if (isProgram(named)) return { from: 'environment', path: named };
    throw new Error(`${variables[binary]} is ${named}, which is no program that can be run: correct or unset it`);
  }
  const onPath = findOnPath(binary, env['PATH'] ?? '');
  if (onPath !== null) return { from: 'path', path: onPath };
  const ownDirectory = dirname(fileURLToPath(import.meta.url));
  for (const directory of search.directories ?? [process.cwd(), ownDirectory]) {
    const provided = findProvided(binary, directory);
    if (provided !== null) return { from: 'setup', path: provided };
  }
  return { from: 'download', path: null };
}

/** The same as the option that `@temporalio/testing` and the embedded server take. */
export function temporalExecutable(binary: TemporalBinary, search: BinarySearch = {}): TemporalExecutable {
  const { path } = resolveTemporalBinary(binary, search);
  return path === null ? { type: 'cached-download' } : { type: 'existing-path', path };
}

function findOnPath(binary: TemporalBinary, searchPath: string): string | null {
  const file = process.platform === 'win32' ? `${binary}.exe` : binary;
  const directories = searchPath.split(delimiter).filter((directory) => directory !== '');
  return directories.map((directory) => join(directory, file)).find(isProgram) ?? null;
}

function findProvided(binary: TemporalBinary, start: string): string | null {
  for (let directory = start; ; directory = dirname(directory)) {
    const path = readTool(join(directory, '.sluice', 'tools.json'), binary);
    if (path !== null && isProgram(path)) return path;
    if (dirname(directory) === directory) return null;
  }
}

function readTool(file: string, binary: TemporalBinary): string | null {
  if (!existsSync(file)) return null;
  const tools: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (typeof tools !== 'object' || tools === null) return null;
  const path: unknown = Object.entries(tools).find(([key]) => key === toolKeys[binary])?.[1];
  return typeof path === 'string' ? path : null;
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** The package's own version, for `--version`, `doctor` and the worker's identity. */
export function version(): string {
  const path = new URL('../../../package.json', import.meta.url);
  return z.object({ version: z.string() }).parse(JSON.parse(readFileSync(path, 'utf8'))).version;
}

/** Where a command finds its surroundings: `sluice.yaml` and `.sluice/up.json`, from the working directory upward. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { SluiceError } from '../plan/failures.js';

const upFileSchema = z.object({
  version: z.literal(1),
  pid: z.number().int(),
  temporal: z.object({ address: z.string(), namespace: z.string(), ui: z.string().nullable() }),
  router: z.object({ url: z.string(), admin: z.string() }),
  config: z.string(),
  ledger: z.string(),
  logs: z.string(),
  /** Path of the file that holds the admin token, mode 0600. */
  adminTokenFile: z.string(),
});

/** What `sluice up` tells the other commands. */
export type UpFile = z.infer<typeof upFileSchema>;

/** The nearest file of this name from `from` upward, or null. */
export function findUpward(name: string, from: string): string | null {
  for (let directory = resolve(from); ; directory = dirname(directory)) {
    const path = join(directory, name);
    if (existsSync(path)) return path;
    if (directory === dirname(directory)) return null;
  }
}

/**
 * The running `sluice up`, or null. A file left behind by a process that is gone counts as none.
 * @throws SluiceError `config-invalid` when the file is not what `up` writes
 */
export function findUpFile(from: string): UpFile | null {
  const path = findUpward('.sluice/up.json', from);
  if (path === null) return null;
  const parsed = upFileSchema.safeParse(readJson(path));
  if (!parsed.success)
    throw new SluiceError('config-invalid', `${path} is not a file of sluice up; delete it and start sluice up again`);
  return isAlive(parsed.data.pid) ? parsed.data : null;
}

function readJson(path: string): unknown {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** Path of `sluice.yaml`: the flag, else `SLUICE_CONFIG`, else that of a running `up`, else the nearest upward, else null. */
export function findConfig(flag: string | undefined, env: NodeJS.ProcessEnv, from: string): string | null {
  return flag ?? env['SLUICE_CONFIG'] ?? findUpFile(from)?.config ?? findUpward('sluice.yaml', from);
}

import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A secret of the embedded stack: made once, kept in a file that only its owner reads. */
export function ownSecret(
  directory: string,
  name: 'admin-token' | 'token-key',
): { readonly value: string; readonly path: string } {
  const path = join(directory, name);
  if (!existsSync(path)) writeFileSync(path, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
  return { value: readFileSync(path, 'utf8').trim(), path };
}

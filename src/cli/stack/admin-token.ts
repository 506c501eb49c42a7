import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The embedded stack's admin token: made once, kept in a file that only its owner reads. */
export function adminToken(directory: string): { readonly token: string; readonly path: string } {
  const path = join(directory, 'admin-token');
  if (!existsSync(path)) writeFileSync(path, `${randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
  return { token: readFileSync(path, 'utf8').trim(), path };
}

/** Which database the ledger is, and what people may read of it: never the password. */
import { resolve } from 'node:path';
import { SluiceError } from '../plan/failures.js';

export type LedgerTarget =
  | { readonly kind: 'sqlite'; readonly name: string; readonly path: string }
  | { readonly kind: 'postgres'; readonly name: string; readonly url: string };

/** Path of a SQLite database that lives in memory alone, for tests. */
export const IN_MEMORY = ':memory:';

export function sqliteTarget(path: string): LedgerTarget {
  const absolute = path === IN_MEMORY ? path : resolve(path);
  return { kind: 'sqlite', name: `sqlite ${absolute}`, path: absolute };
}

/** @throws SluiceError `config-invalid` when `url` is no postgres:// URL; the message does not repeat it, it may hold a password */
export function postgresTarget(url: string): LedgerTarget {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || !/^postgres(ql)?:$/.test(parsed.protocol)) {
    throw new SluiceError(
      'config-invalid',
      'SLUICE_DATABASE_URL is no Postgres address: write postgres://user:password@host:5432/database, ' +
        'with special characters of the password percent-encoded',
    );
  }
  // A socket's directory is given as a parameter.
  const host = parsed.host === '' ? (parsed.searchParams.get('host') ?? 'localhost') : parsed.host;
  const user = parsed.username === '' ? '' : `${parsed.username}@`;
  return { kind: 'postgres', name: `postgres://${user}${host}${parsed.pathname}`, url };
}

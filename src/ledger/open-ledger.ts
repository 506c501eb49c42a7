/** Opens the ledger: SQLite in a file, or Postgres by its address. */
import type { LedgerDatabase } from './ledger-database.js';
import { ledgerError } from './ledger-error.js';
import type { Ledger } from './ledger.js';
import { migrateToLatest } from './migrate.js';
import { openPostgres } from './postgres-database.js';
import { sqlLedger } from './sql-ledger.js';
import { openSqlite } from './sqlite-database.js';
import { postgresTarget, sqliteTarget } from './target.js';
import type { LedgerTarget } from './target.js';

/** How long the database may take to answer at all. */
const TIMEOUT_MS = 30_000;

/** `url` is postgres://user:password@host:5432/database; `sqlitePath` is made with its directory when it is not there. */
export type LedgerOptions = ({ readonly url: string } | { readonly sqlitePath: string }) & {
  /** How long the database may take to accept a connection, to free a lock, or to answer anything, ms; 30 s. */
  readonly timeoutMs?: number;
};

/**
 * Connects and brings the schema up to date; workers may do so at the same time.
 *
 * @throws SluiceError `config-invalid` when `url` is no Postgres address; `ledger-unavailable` when the database cannot be
 * opened, with its name (without the password), its own words and the next step
 */
export async function openLedger(options: LedgerOptions): Promise<Ledger> {
  const target = 'url' in options ? postgresTarget(options.url) : sqliteTarget(options.sqlitePath);
  let database: LedgerDatabase | null = null;
  try {
    const opened = await openDatabase(target, options.timeoutMs ?? TIMEOUT_MS);
    database = opened;
    await opened.write(() => migrateToLatest(opened.db, target.kind));
    return sqlLedger(opened);
  } catch (fault) {
    // The first fault is the one to tell.
    await database?.close().catch(() => undefined);
    throw ledgerError(target, 'be opened', fault);
  }
}

/** Postgres when `SLUICE_DATABASE_URL` is set, else the SQLite file at `defaultSqlitePath`. Throws as `openLedger` does. */
export function ledgerFromEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  defaultSqlitePath: string,
): Promise<Ledger> {
  const url = env['SLUICE_DATABASE_URL'];
  return openLedger(url === undefined || url === '' ? { sqlitePath: defaultSqlitePath } : { url });
}

async function openDatabase(target: LedgerTarget, timeoutMs: number): Promise<LedgerDatabase> {
  return target.kind === 'sqlite' ? openSqlite(target, timeoutMs) : openPostgres(target, timeoutMs);
}

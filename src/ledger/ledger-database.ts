import type { Kysely } from 'kysely';
import type { LedgerTables } from './tables.js';
import type { LedgerTarget } from './target.js';

/** A database as the ledger uses it; the queries are the same on both kinds. */
export interface LedgerDatabase {
  readonly db: Kysely<LedgerTables>;
  readonly target: LedgerTarget;
  /** Every write goes through here: SQLite takes one writer at a time. */
  write<Result>(work: () => Promise<Result>): Promise<Result>;
  /** Throws when what was opened is no longer there. */
  check(): void;
  close(): Promise<void>;
}

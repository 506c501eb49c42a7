/** The ledger in a SQLite file. Calls block the process; the file is local and each call short. */
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { CompiledQuery, Kysely, SqliteAdapter, SqliteDialect, SqliteDriver } from 'kysely';
import type { DatabaseConnection, SqliteDialectConfig } from 'kysely';
import Libsql from 'libsql';
import type { LedgerDatabase } from './ledger-database.js';
import { SqliteConnection } from './sqlite-connection.js';
import type { LedgerTables } from './tables.js';
import { IN_MEMORY } from './target.js';
import type { LedgerTarget } from './target.js';
import { writeTurnOf } from './write-turn.js';

/** A writer that waits for another process stops this whole process: no longer than this. */
const LONGEST_BLOCK_MS = 5_000;

type SqliteTarget = Extract<LedgerTarget, { readonly kind: 'sqlite' }>;

/** @throws whatever the file system or libSQL threw */
export async function openSqlite(target: SqliteTarget, timeoutMs: number): Promise<LedgerDatabase> {
  const { path } = target;
  const inMemory = path === IN_MEMORY;
  if (!inMemory) {
    mkdirSync(dirname(path), { recursive: true });
    await useWriteAheadLog(path, timeoutMs);
  }
  let opened: string | null = null;
  const check = (): void => {
    if (opened !== null) checkPresent(path, opened);
  };
  const connection = new SqliteConnection(() => {
    // Opening a file that is gone would make an empty one.
    check();
    const database = new Libsql(path);
    database.exec(`PRAGMA busy_timeout = ${Math.min(timeoutMs, LONGEST_BLOCK_MS)}`);
    database.exec('PRAGMA foreign_keys = ON');
    // Routers forget what was acknowledged: a commit must survive a power cut.
    database.exec('PRAGMA synchronous = FULL');
    return database;
  });
  const db = new Kysely<LedgerTables>({ dialect: new LedgerSqliteDialect({ database: connection }) });
  if (!inMemory) opened = identityOf(path);
  const turn = writeTurnOf(inMemory ? Symbol(path) : path);
  return {
    db,
    target,
    write: (work) =>
      turn(async () => {
        check();
        return work();
      }),
    check,
    close: () => db.destroy(),
  };
}

/** Only ever done once to a file. SQLite does not wait for others here, so this does. */
async function useWriteAheadLog(path: string, timeoutMs: number): Promise<void> {
  const end = performance.now() + timeoutMs;
  for (;;) {
    const database = new Libsql(path);
    try {
      database.exec('PRAGMA journal_mode = WAL');
      return;
    } catch (error) {
      const isBusy = error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY';
      if (!isBusy || performance.now() > end) throw error;
    } finally {
      database.close();
    }
    await delay(20);
  }
}

function identityOf(path: string): string | null {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats === undefined ? null : `${stats.dev}:${stats.ino}`;
}

/** Writes to a file that was deleted succeed and are lost, which nobody would see. */
function checkPresent(path: string, opened: string): void {
  const now = identityOf(path);
  if (now === opened) return;
  throw new Error(
    now === null
      ? `the file is gone while it is in use; put ${path} back`
      : 'the file was replaced while it was in use; restart the worker to use the new one',
  );
}

class LedgerSqliteDialect extends SqliteDialect {
  readonly #config: SqliteDialectConfig;

  constructor(config: SqliteDialectConfig) {
    super(config);
    this.#config = config;
  }

  override createDriver(): SqliteDriver {
    return new ImmediateDriver(this.#config);
  }

  override createAdapter(): SqliteAdapter {
    return new TransactionalAdapter();
  }
}

/** Takes the write lock when a transaction begins: one that only then finds out that it must wait can never succeed. */
class ImmediateDriver extends SqliteDriver {
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }
}

/** SQLite's schema changes are transactional, so a migration that fails leaves nothing behind. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

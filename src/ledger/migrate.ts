import { Migrator } from 'kysely';
import type { Kysely } from 'kysely';
import { migrationsFor } from './migrations.js';
import type { LedgerTables } from './tables.js';
import type { LedgerTarget } from './target.js';

/**
 * Brings the schema up to date, as one transaction. Workers that start together wait for each other: Postgres by an
 * advisory lock, SQLite by its write lock.
 *
 * @throws whatever the database threw; a step that failed leaves nothing behind
 */
export async function migrateToLatest(db: Kysely<LedgerTables>, kind: LedgerTarget['kind']): Promise<void> {
  const migrations = migrationsFor(kind);
  const migrator = new Migrator({
    db,
    provider: { getMigrations: async () => ({ ...migrations }) },
    migrationTableName: 'migration',
    migrationLockTableName: 'migration_lock',
  });
  const { error } = await migrator.migrateToLatest();
  if (error instanceof Error) throw error;
  if (error !== undefined) throw new Error('a step of the schema failed', { cause: error });
}

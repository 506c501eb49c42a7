/** The schema, step by step. A step that has been released is never changed: add the next one. */
import type { ColumnDefinitionBuilder, Kysely, Migration } from 'kysely';
import type { LedgerTarget } from './target.js';

type Steps = Readonly<Record<string, Migration>>;

/** The steps in order of their numbers, for one of the two databases: only identities and bytes are spelled differently. */
export function migrationsFor(kind: LedgerTarget['kind']): Steps {
  const bytes = kind === 'postgres' ? 'bytea' : 'blob';
  const identity = (column: ColumnDefinitionBuilder): ColumnDefinitionBuilder =>
    kind === 'postgres' ? column.primaryKey().generatedByDefaultAsIdentity() : column.primaryKey().autoIncrement();
  return {
    '0001-ledger': {
      up: async (database: Kysely<unknown>): Promise<void> => {
        const { schema } = database;
        await schema
          .createTable('rollout')
          .addColumn('number', 'integer', identity)
          .addColumn('rollout', 'text', (column) => column.notNull().unique())
          .addColumn('route', 'text', (column) => column.notNull())
          .addColumn('started_at', 'bigint', (column) => column.notNull())
          .addColumn('plan', 'text', (column) => column.notNull())
          .addColumn('salt', 'text', (column) => column.notNull())
          .addColumn('seeds', 'text', (column) => column.notNull())
          .addColumn('expired_at', 'bigint')
          .execute();
        await schema.createIndex('rollout_by_route').on('rollout').columns(['route', 'started_at']).execute();

        await schema
          .createTable('frontier')
          .addColumn('rollout_number', 'integer', (column) => column.primaryKey().references('rollout.number'))
          .addColumn('closed_through', 'bigint', (column) => column.notNull())
          .execute();

        await schema
          .createTable('evidence_source')
          .addColumn('id', 'integer', identity)
          .addColumn('rollout_number', 'integer', (column) => column.notNull().references('rollout.number'))
          .addColumn('generation', 'bigint', (column) => column.notNull())
          .addColumn('stage', 'text', (column) => column.notNull())
          .addColumn('stratum', 'text', (column) => column.notNull())
          .addColumn('variant', 'text', (column) => column.notNull())
          .addColumn('replica', 'text', (column) => column.notNull())
          .addColumn('process', 'text', (column) => column.notNull())
          .addColumn('interval_ms', 'bigint', (column) => column.notNull())
          .addUniqueConstraint('evidence_source_key', [
            'rollout_number',
            'process',
            'generation',
            'stage',
            'stratum',
            'variant',
            'replica',
          ])
          .execute();

        await schema
          .createTable('evidence')
          .addColumn('rollout_number', 'integer', (column) => column.notNull().references('rollout.number'))
          .addColumn('interval_end', 'bigint', (column) => column.notNull())
          .addColumn('source', 'integer', (column) => column.notNull())
          .addColumn('late', 'smallint', (column) => column.notNull())
          .addColumn('revision', 'bigint', (column) => column.notNull())
          .addColumn('body', bytes, (column) => column.notNull())
          .addPrimaryKeyConstraint('evidence_key', ['rollout_number', 'interval_end', 'source', 'late'])
          .execute();

        await schema
          .createTable('rating')
          .addColumn('nonce', 'text', (column) => column.primaryKey())
          .addColumn('rollout_number', 'integer', (column) => column.notNull().references('rollout.number'))
          .addColumn('request_started_at', 'bigint', (column) => column.notNull())
          .addColumn('body', 'text', (column) => column.notNull())
          .execute();
        await schema
          .createIndex('rating_by_request')
          .on('rating')
          .columns(['rollout_number', 'request_started_at'])
          .execute();

        await schema
          .createTable('look')
          .addColumn('look', 'text', (column) => column.primaryKey())
          .addColumn('rollout', 'text', (column) => column.notNull())
          .addColumn('closed_through', 'bigint', (column) => column.notNull())
          .addColumn('at', 'bigint', (column) => column.notNull())
          .addColumn('body', 'text', (column) => column.notNull())
          .execute();
        await schema.createIndex('look_by_rollout').on('look').columns(['rollout', 'closed_through']).execute();

        await schema
          .createTable('decision')
          .addColumn('rollout', 'text', (column) => column.notNull())
          .addColumn('sequence', 'integer', (column) => column.notNull())
          .addColumn('body', 'text', (column) => column.notNull())
          .addPrimaryKeyConstraint('decision_key', ['rollout', 'sequence'])
          .execute();

        await schema
          .createTable('status')
          .addColumn('rollout', 'text', (column) => column.primaryKey())
          .addColumn('route', 'text', (column) => column.notNull())
          .addColumn('started_at', 'bigint', (column) => column.notNull())
          .addColumn('ended', 'smallint', (column) => column.notNull())
          .addColumn('generation', 'bigint', (column) => column.notNull())
          .addColumn('decided_at', 'bigint', (column) => column.notNull())
          .addColumn('ended_at', 'bigint')
          .addColumn('body', 'text', (column) => column.notNull())
          .execute();
        await schema.createIndex('status_by_route').on('status').columns(['route', 'started_at']).execute();

        await schema
          .createTable('route')
          .addColumn('route', 'text', (column) => column.primaryKey())
          .addColumn('stable', 'text', (column) => column.notNull())
          .addColumn('generation', 'bigint', (column) => column.notNull())
          .addColumn('split', 'text', (column) => column.notNull())
          .addColumn('updated_at', 'bigint', (column) => column.notNull())
          .execute();
      },
    },
    '0002-ratings-by-frontier': {
      up: async (database: Kysely<unknown>): Promise<void> => {
        const { schema } = database;
        // Ratings of before are known to every assessment from its first interval end on.
        await schema
          .alterTable('rating')
          .addColumn('known_after', 'bigint', (column) => column.notNull().defaultTo(0))
          .execute();
        await schema.dropIndex('rating_by_request').execute();
        await schema
          .createIndex('rating_by_frontier')
          .on('rating')
          .columns(['rollout_number', 'known_after'])
          .execute();
      },
    },
  };
}

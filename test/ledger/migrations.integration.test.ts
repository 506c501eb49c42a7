import Libsql from 'libsql';
import pg from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { rating, record, ROLLOUT } from '../evidence/records.js';
import { DATABASES } from './databases.js';
import type { TestDatabase } from './databases.js';
import { readAll, rolloutRow } from './rows.js';

describe.each(DATABASES)('migrations on $kind', ({ create }) => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await create();
  });

  afterEach(() => database.remove());

  it('make every table of an empty database', async () => {
    await database.open();
    const tables = await tablesOf(database);
    for (const table of ['rollout', 'route', 'evidence', 'rating', 'frontier', 'look', 'decision', 'status']) {
      expect(tables).toContain(table);
    }
  });

  it('leave what is there when they run again', async () => {
    const first = await database.open();
    await first.openRollout(rolloutRow());
    await first.commitEvidence({ rollout: ROLLOUT, records: [record()], ratings: [], closedThrough: 7 });
    const [second, third] = await Promise.all([database.open(), database.open()]);
    expect(await readAll(second)).toEqual([record()]);
    expect(await third.closedThrough(ROLLOUT)).toBe(7);
  });

  it('make ratings of an older version known from the first interval end on', async () => {
    const first = await database.open();
    await first.openRollout(rolloutRow());
    await first.commitEvidence({ rollout: ROLLOUT, records: [], ratings: [rating()], closedThrough: 7 });
    for (const statement of [
      'drop index rating_by_frontier',
      'alter table rating drop column known_after',
      'create index rating_by_request on rating (rollout_number, request_started_at)',
      `delete from migration where name = '0002-ratings-by-frontier'`,
    ]) {
      await execute(database, statement);
    }
    const second = await database.open();
    expect(await second.ratings(ROLLOUT, 0, 1)).toEqual([{ ...rating(), knownAfter: 0 }]);
    await second.commitEvidence({ rollout: ROLLOUT, records: [], ratings: [rating({ nonce: 'b' })], closedThrough: 7 });
    expect(await second.ratings(ROLLOUT, 1, 8)).toEqual([{ ...rating({ nonce: 'b' }), knownAfter: 7 }]);
  });

  it('leave nothing behind when a step fails, and succeed once its cause is gone', async () => {
    // A table of somebody else's has the name of a late one of ours.
    await execute(database, 'create table route (theirs integer)');
    await expect(database.open()).rejects.toThrow(/cannot be opened: .*route.* already exists/);
    expect((await tablesOf(database)).filter((name) => !name.startsWith('migration'))).toEqual(['route']);
    await execute(database, 'drop table route');
    const ledger = await database.open();
    await expect(ledger.openRollout(rolloutRow())).resolves.toEqual(rolloutRow());
  });

  it('refuse a database that a newer version has written, and leave it as it is', async () => {
    await database.open();
    await execute(
      database,
      `insert into migration (name, timestamp) values ('9999-later', '2027-01-01T00:00:00.000Z')`,
    );
    await expect(database.open()).rejects.toMatchObject({ code: 'ledger-unavailable' });
    await expect(database.open()).rejects.toThrow(/9999-later is missing; a newer version of sluice has written it/);
  });
});

async function tablesOf(database: TestDatabase): Promise<readonly string[]> {
  const isSqlite = 'sqlitePath' in database.options;
  const rows = await execute(
    database,
    isSqlite
      ? `select name from sqlite_master where type = 'table' and name not like 'sqlite_%'`
      : `select table_name as name from information_schema.tables where table_schema = 'public'`,
  );
  return rows.map((row) => (typeof row === 'object' && row !== null && 'name' in row ? String(row.name) : ''));
}

/** Past the ledger, as a database's administrator would. */
async function execute(database: TestDatabase, statement: string): Promise<readonly unknown[]> {
  if ('sqlitePath' in database.options) {
    const connection = new Libsql(database.options.sqlitePath);
    try {
      if (statement.startsWith('select')) return connection.prepare(statement).all();
      connection.exec(statement);
      return [];
    } finally {
      connection.close();
    }
  }
  const client = new pg.Client({ connectionString: database.options.url });
  await client.connect();
  try {
    const result: pg.QueryResult<object> = await client.query(statement);
    return result.rows;
  } finally {
    await client.end();
  }
}

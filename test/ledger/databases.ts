import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { inject } from 'vitest';
import type { Ledger } from '../../src/ledger/ledger.js';
import { openLedger } from '../../src/ledger/open-ledger.js';
import type { LedgerOptions } from '../../src/ledger/open-ledger.js';

/** An empty database of one kind; every test of the ledger runs on both. */
export interface TestDatabase {
  readonly options: LedgerOptions;
  /** Another connection to the same database, closed with it. */
  open(): Promise<Ledger>;
  remove(): Promise<void>;
}

export interface DatabaseKind {
  readonly kind: 'sqlite' | 'postgres';
  readonly create: () => Promise<TestDatabase>;
}

export const DATABASES: readonly DatabaseKind[] = [
  { kind: 'sqlite', create: createSqlite },
  { kind: 'postgres', create: createPostgres },
];

export async function createSqlite(): Promise<TestDatabase> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-ledger-'));
  return testDatabase({ sqlitePath: join(directory, 'ledger.db') }, async () =>
    rmSync(directory, { recursive: true, force: true }),
  );
}

/** On the server that all integration tests share. Sorts by language, as many databases do: the ledger must not care. */
export async function createPostgres(): Promise<TestDatabase> {
  const server = inject('postgresUrl');
  const name = `ledger_${randomUUID().replaceAll('-', '')}`;
  await administer(server, `create database ${name} template template0 locale_provider icu icu_locale 'en'`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return testDatabase({ url: url.href }, () => administer(server, `drop database ${name} with (force)`));
}

function testDatabase(options: LedgerOptions, remove: () => Promise<void>): TestDatabase {
  const opened: Ledger[] = [];
  return {
    options,
    open: async () => {
      const ledger = await openLedger(options);
      opened.push(ledger);
      return ledger;
    },
    remove: async () => {
      await Promise.all(opened.map((ledger) => ledger.close()));
      await remove();
    },
  };
}

async function administer(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

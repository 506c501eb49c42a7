/** The ledger in Postgres. */
import { Socket } from 'node:net';
import { Kysely, PostgresDialect } from 'kysely';
import pg from 'pg';
import type { LedgerDatabase } from './ledger-database.js';
import type { LedgerTables } from './tables.js';
import type { LedgerTarget } from './target.js';

/** A worker's collectors, looks and probes at once; more would only wait for each other. */
const CONNECTIONS = 4;
const IDLE_MS = 10_000;

type PostgresTarget = Extract<LedgerTarget, { readonly kind: 'postgres' }>;

/** Connects with the first query. `timeoutMs` is how long the server may take to accept, and to say anything at all. */
export function openPostgres(target: PostgresTarget, timeoutMs: number): LedgerDatabase {
  const pool = new pg.Pool({
    connectionString: target.url,
    application_name: 'sluice',
    max: CONNECTIONS,
    idleTimeoutMillis: Math.min(IDLE_MS, timeoutMs),
    connectionTimeoutMillis: timeoutMs,
    keepAlive: true,
    // A network that swallows packets would leave a query waiting for many minutes, and its connection in the pool.
    stream: () => silentNoLongerThan(timeoutMs),
    types: exactIntegers(),
  });
  // A connection that breaks leaves the pool, and the query that it carried, or the next one, says what is wrong. Without
  // listeners the same fault would end the process, from the pool while it is idle and from the connection while it is used.
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const db = new Kysely<LedgerTables>({ dialect: new PostgresDialect({ pool }) });
  return { db, target, write: (work) => work(), check: () => undefined, close: () => db.destroy() };
}

function silentNoLongerThan(timeoutMs: number): Socket {
  const socket = new Socket();
  socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`no answer from the server for ${timeoutMs} ms`)));
  return socket;
}

/** Counts and times are exact in a double; anything above is refused rather than rounded. */
function exactIntegers(): pg.TypeOverrides {
  const types = new pg.TypeOverrides();
  types.setTypeParser(pg.types.builtins.INT8, exactInteger);
  return types;
}

function exactInteger(text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value)) return value;
  throw new RangeError(`the ledger holds ${text}, which is beyond exact integers`);
}

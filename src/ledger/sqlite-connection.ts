/** One libSQL connection as Kysely wants it: prepared statements kept, and a new connection after a fault. */
import type Libsql from 'libsql';
import type { SqliteDatabase, SqliteStatement } from 'kysely';

/** Statements kept prepared: each one holds memory that the garbage collector does not see. */
const KEPT_STATEMENTS = 100;

export class SqliteConnection implements SqliteDatabase {
  readonly #open: () => Libsql.Database;
  readonly #statements = new Map<string, SqliteStatement>();
  #database: Libsql.Database;
  #faulty = false;

  /** `open` gives a connection that is set up; it is called again after a fault. */
  constructor(open: () => Libsql.Database) {
    this.#open = open;
    this.#database = open();
  }

  prepare(sql: string): SqliteStatement {
    if (this.#faulty && !this.#database.inTransaction) this.#reopen();
    const kept = this.#statements.get(sql);
    this.#statements.delete(sql);
    const statement = kept ?? this.#watched(sql);
    this.#statements.set(sql, statement);
    const [oldest] = this.#statements.keys();
    if (this.#statements.size > KEPT_STATEMENTS && oldest !== undefined) this.#statements.delete(oldest);
    return statement;
  }

  close(): void {
    this.#statements.clear();
    // So that the file alone is the whole ledger; when others still read, the last one to close does it.
    this.#database.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    this.#database.close();
  }

  #reopen(): void {
    this.#statements.clear();
    this.#database.close();
    this.#database = this.#open();
    this.#faulty = false;
  }

  /** libSQL leaves a statement that failed in progress, and no transaction commits beside it: the connection goes. */
  #watched(sql: string): SqliteStatement {
    const watch = <Result>(run: () => Result): Result => {
      try {
        return run();
      } catch (error) {
        this.#faulty ||= !isRefusal(error);
        throw error;
      }
    };
    const statement = watch(() => this.#database.prepare(sql));
    const { reader } = statement;
    return {
      reader,
      all: (parameters) => watch(() => statement.all(parameters)),
      run: (parameters) => watch(() => statement.run(parameters)),
      iterate: (parameters) => watch(() => statement.iterate(parameters)),
    };
  }
}

/** SQLite refused the statement itself, and has put it away. */
function isRefusal(error: unknown): boolean {
  if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) return false;
  return error.code === 'SQLITE_ERROR' || error.code.startsWith('SQLITE_CONSTRAINT');
}

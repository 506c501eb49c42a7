import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ledgerError } from '../../src/ledger/ledger-error.js';
import { ledgerFromEnvironment, openLedger } from '../../src/ledger/open-ledger.js';
import { postgresTarget, sqliteTarget } from '../../src/ledger/target.js';
import { SluiceError } from '../../src/plan/failures.js';
import { record, ROLLOUT } from '../evidence/records.js';
import { readAll, rolloutRow } from './rows.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-open-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('openLedger', () => {
  it('makes the file with its directories, and finds it again', async () => {
    const sqlitePath = join(directory, 'deep', 'er', 'ledger.db');
    const first = await openLedger({ sqlitePath });
    await first.openRollout(rolloutRow());
    await first.commitEvidence({ rollout: ROLLOUT, records: [record()], ratings: [], closedThrough: 1 });
    await first.close();
    const second = await openLedger({ sqlitePath });
    expect(await readAll(second)).toEqual([record()]);
    await second.close();
  });

  it('leaves the file alone as the whole ledger when it is closed', async () => {
    const sqlitePath = join(directory, 'ledger.db');
    const ledger = await openLedger({ sqlitePath });
    await ledger.openRollout(rolloutRow());
    await ledger.close();
    for (const suffix of ['-wal', '-shm']) rmSync(`${sqlitePath}${suffix}`, { force: true });
    const again = await openLedger({ sqlitePath });
    expect(await again.rollout(ROLLOUT)).toEqual(rolloutRow());
    await again.close();
  });

  it('keeps two ledgers in memory apart', async () => {
    const [first, second] = await Promise.all([
      openLedger({ sqlitePath: ':memory:' }),
      openLedger({ sqlitePath: ':memory:' }),
    ]);
    await first.openRollout(rolloutRow());
    expect(await second.rollout(ROLLOUT)).toBeNull();
    await Promise.all([first.close(), second.close()]);
  });

  it('says what is wrong with a file that is no database, and leaves it as it is', async () => {
    const sqlitePath = join(directory, 'ledger.db');
    writeFileSync(sqlitePath, 'dear diary, '.repeat(100));
    await expect(openLedger({ sqlitePath })).rejects.toThrow(SluiceError);
    await expect(openLedger({ sqlitePath })).rejects.toThrow(
      `the ledger sqlite ${sqlitePath} cannot be opened: file is not a database; restore ${sqlitePath} from a backup, ` +
        'or move it away to begin a new ledger',
    );
  });

  it('says what is wrong with a path that cannot be one', async () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    await expect(openLedger({ sqlitePath: join(file, 'ledger.db') })).rejects.toMatchObject({
      code: 'ledger-unavailable',
    });
    await expect(openLedger({ sqlitePath: directory })).rejects.toMatchObject({ code: 'ledger-unavailable' });
  });

  it('says that nothing listens there, with the name of the cause', async () => {
    // Port 1 of the loopback is reserved and never in use.
    await expect(openLedger({ url: 'postgres://sluice:secret@127.0.0.1:1/ledger' })).rejects.toThrow(
      'the ledger postgres://sluice@127.0.0.1:1/ledger cannot be opened: connect ECONNREFUSED 127.0.0.1:1; ' +
        'check that the server is up and that SLUICE_DATABASE_URL is right',
    );
  });
});

describe('ledgerFromEnvironment', () => {
  it('takes the SQLite file when no address is given', async () => {
    const path = join(directory, 'ledger.db');
    await (await ledgerFromEnvironment({}, path)).close();
    await (await ledgerFromEnvironment({ SLUICE_DATABASE_URL: '' }, path)).close();
    expect(existsSync(path)).toBe(true);
  });

  it('takes Postgres when SLUICE_DATABASE_URL names one, and never the file instead', async () => {
    const path = join(directory, 'ledger.db');
    const env = { SLUICE_DATABASE_URL: 'postgresql://127.0.0.1:1/ledger' };
    await expect(ledgerFromEnvironment(env, path)).rejects.toThrow(/the ledger postgres:\/\/127.0.0.1:1\/ledger/);
    expect(existsSync(path)).toBe(false);
  });

  it.each(['mysql://u:secret@h/d', 'secret', 'postgres//u:secret@h/d'])(
    'refuses %s without repeating what may be a password',
    async (url) => {
      const refused = ledgerFromEnvironment({ SLUICE_DATABASE_URL: url }, join(directory, 'ledger.db'));
      await expect(refused).rejects.toMatchObject({ code: 'config-invalid' });
      await expect(refused).rejects.toThrow(/SLUICE_DATABASE_URL is no Postgres address: write postgres:\/\//);
      await expect(refused).rejects.not.toThrow(/secret/);
    },
  );
});

describe('the name of the ledger', () => {
  it.each([
    ['postgres://sluice:secret@db.internal:5432/ledger?sslmode=require', 'postgres://sluice@db.internal:5432/ledger'],
    ['postgresql://db/ledger?password=secret', 'postgres://db/ledger'],
    ['postgres:///ledger?host=/run/postgresql', 'postgres:///run/postgresql/ledger'],
    ['postgres://[::1]:5432/ledger', 'postgres://[::1]:5432/ledger'],
  ])('of %s is %s', (url, name) => {
    expect(postgresTarget(url).name).toBe(name);
  });
});

describe('ledgerError', () => {
  const postgres = postgresTarget('postgres://db/ledger');
  const coded = (code: string, message = 'words'): Error => Object.assign(new Error(message), { code });

  it.each([
    [postgres, coded('42501'), /grant this user the right/],
    [postgres, coded('53300'), /run fewer workers/],
    [sqliteTarget('/tmp/l.db'), coded('SQLITE_FULL'), /free some space/],
    [sqliteTarget('/tmp/l.db'), coded('SQLITE_READONLY'), /may write it and its directory/],
    [sqliteTarget('/tmp/l.db'), coded('SQLITE_CORRUPT'), /restore \/tmp\/l.db from a backup/],
    [
      postgres,
      new AggregateError([coded('A', 'connect to ::1'), coded('B', 'connect to 127.0.0.1')], ''),
      /connect to ::1, connect to 127.0.0.1/,
    ],
    [postgres, coded('ETIMEDOUT', ''), /cannot list looks: ETIMEDOUT/],
    [postgres, 'thrown text', /cannot list looks: thrown text/],
  ])('names the next step (%#)', (target, fault, words) => {
    const error = ledgerError(target, 'list looks', fault);
    expect(error.message).toMatch(words);
    expect(error.code).toBe('ledger-unavailable');
    expect(error.cause).toBe(fault);
  });

  it('passes on what already has its words', () => {
    const known = new SluiceError('rollout-unknown', 'no such rollout');
    expect(ledgerError(postgres, 'list looks', known)).toBe(known);
  });
});

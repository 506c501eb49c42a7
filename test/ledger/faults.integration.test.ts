import { renameSync } from 'node:fs';
import Libsql from 'libsql';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import type { Ledger } from '../../src/ledger/ledger.js';
import { openLedger } from '../../src/ledger/open-ledger.js';
import { FIRST, INTERVAL_MS, rating, record, ROLLOUT } from '../evidence/records.js';
import { startTcpProxy } from '../helpers/tcp-proxy.js';
import type { TcpProxy } from '../helpers/tcp-proxy.js';
import { createPostgres, createSqlite } from './databases.js';
import type { TestDatabase } from './databases.js';
import { decision, look, readAll, rolloutRow, ROUTE, routeRow, status } from './rows.js';

const END = FIRST + INTERVAL_MS;
const batch = { rollout: ROLLOUT, records: [record()], ratings: [rating()], closedThrough: END };

/** Every method that asks the database; each must say in the same way that it cannot. */
function everyCall(ledger: Ledger): readonly (readonly [name: string, call: () => Promise<unknown>])[] {
  return [
    ['openRollout', () => ledger.openRollout(rolloutRow())],
    ['rollout', () => ledger.rollout(ROLLOUT)],
    ['rollouts', () => ledger.rollouts(null, 1)],
    ['commitEvidence', () => ledger.commitEvidence(batch)],
    ['closedThrough', () => ledger.closedThrough(ROLLOUT)],
    ['evidence', () => readAll(ledger)],
    ['ratings', () => ledger.ratings(ROLLOUT, 0, END)],
    ['recordLook', () => ledger.recordLook(look())],
    ['look', () => ledger.look('a look')],
    ['looks', () => ledger.looks(ROLLOUT)],
    ['recordDecision', () => ledger.recordDecision(ROLLOUT, 1, decision())],
    ['decisions', () => ledger.decisions(ROLLOUT)],
    ['saveStatus', () => ledger.saveStatus(status())],
    ['lastStatus', () => ledger.lastStatus(ROUTE)],
    ['lastStatuses', () => ledger.lastStatuses()],
    ['routeRow', () => ledger.routeRow(ROUTE)],
    ['routeRows', () => ledger.routeRows()],
    ['putRouteRow', () => ledger.putRouteRow(routeRow(1, 'llama-31'))],
    ['expire', () => ledger.expire(1)],
    ['ping', () => ledger.ping()],
  ];
}

describe('a Postgres that goes away', () => {
  let database: TestDatabase;
  let proxy: TcpProxy;
  let url: URL;

  beforeEach(async () => {
    database = await createPostgres();
    if (!('url' in database.options)) throw new Error('no Postgres');
    url = new URL(database.options.url);
    proxy = await startTcpProxy(Number(url.port));
    url.port = String(proxy.port);
  });

  afterEach(async () => {
    await proxy.close();
    await database.remove();
  });

  const openThroughProxy = async (timeoutMs = 30_000): Promise<Ledger> => {
    const ledger = await openLedger({ url: url.href, timeoutMs });
    onTestFinished(() => ledger.close());
    return ledger;
  };

  it('is told by every call, with its name, its cause and without its password, and found again', async () => {
    const ledger = await openThroughProxy();
    await ledger.openRollout(rolloutRow());
    proxy.cut();
    for (const [name, call] of everyCall(ledger)) {
      const fault = await call().then(
        () => null,
        (error: unknown) => error,
      );
      expect([name, fault]).toMatchObject([name, { name: 'SluiceError', code: 'ledger-unavailable' }]);
      expect(fault).toHaveProperty('cause');
      expect(String(fault)).toContain(`postgres://sluice@127.0.0.1:${proxy.port}${url.pathname}`);
      expect(String(fault)).toContain('check that the server is up and that SLUICE_DATABASE_URL is right');
      expect(String(fault)).not.toContain('ss%20word');
      expect(String(fault)).not.toContain('ss word');
    }
    proxy.mend();
    expect(await ledger.commitEvidence(batch)).toEqual({ inserted: 1, late: 0, closedThrough: END });
    for (const [, call] of everyCall(ledger)) await expect(call()).resolves.not.toThrow();
  });

  it('stores the batch once whose commit was never acknowledged', async () => {
    const ledger = await openThroughProxy();
    await ledger.openRollout(rolloutRow());
    proxy.cutAtAnswerTo('commit');
    await expect(ledger.commitEvidence(batch)).rejects.toMatchObject({ code: 'ledger-unavailable' });
    // It was committed, and the router, which was not told so, sends it again.
    expect(await readAll(ledger)).toEqual([record()]);
    expect(await ledger.commitEvidence(batch)).toEqual({ inserted: 0, late: 0, closedThrough: END });
    expect(await readAll(ledger)).toEqual([record()]);
    expect(await ledger.ratings(ROLLOUT, 0, END)).toHaveLength(1);
  });

  it('stores nothing of a batch that was cut off half-way', async () => {
    const ledger = await openThroughProxy();
    await ledger.openRollout(rolloutRow());
    proxy.cutAtAnswerTo('insert into "rating"');
    await expect(ledger.commitEvidence(batch)).rejects.toMatchObject({ code: 'ledger-unavailable' });
    expect(await readAll(ledger)).toEqual([]);
    expect(await ledger.closedThrough(ROLLOUT)).toBe(0);
    expect(await ledger.commitEvidence(batch)).toEqual({ inserted: 1, late: 0, closedThrough: END });
  });

  it('is given up when it swallows everything, and the connection with it', async () => {
    const ledger = await openThroughProxy(700);
    await ledger.openRollout(rolloutRow());
    proxy.hold();
    await expect(ledger.commitEvidence(batch)).rejects.toThrow(
      /cannot commit evidence: no answer from the server for 700 ms/,
    );
    await expect(ledger.ping()).rejects.toMatchObject({ code: 'ledger-unavailable' });
    proxy.mend();
    expect(await ledger.commitEvidence(batch)).toMatchObject({ inserted: 1 });
  });

  it('ends a reading in the middle with an error, never with a part that looks whole', async () => {
    const ledger = await openThroughProxy();
    await ledger.openRollout(rolloutRow());
    const records = Array.from({ length: 1_200 }, (_, step) => record({ intervalStart: FIRST + step * INTERVAL_MS }));
    await ledger.commitEvidence({ rollout: ROLLOUT, records, ratings: [], closedThrough: 0 });
    const reading = ledger.evidence(ROLLOUT, 0, Number.MAX_SAFE_INTEGER)[Symbol.asyncIterator]();
    expect(await reading.next()).toMatchObject({ done: false });
    proxy.cut();
    await expect(reading.next()).rejects.toMatchObject({ code: 'ledger-unavailable' });
  });

  it('cannot be opened while it is away, and says why', async () => {
    proxy.cut();
    await expect(openThroughProxy()).rejects.toThrow(/the ledger postgres:\/\/sluice@.* cannot be opened: /);
    proxy.mend();
    await expect((await openThroughProxy()).ping()).resolves.toBeUndefined();
  });

  it.each([
    ['a wrong password', (address: URL) => (address.password = 'wrong'), /check user and password/],
    ['a database that is not there', (address: URL) => (address.pathname = '/nowhere'), /create that database/],
  ])('tells %s from a server that is down', async (_what, spoil, words) => {
    spoil(url);
    await expect(openThroughProxy()).rejects.toThrow(words);
  });
});

describe('a SQLite file that goes away', () => {
  let database: TestDatabase;
  let path: string;

  beforeEach(async () => {
    database = await createSqlite();
    if (!('sqlitePath' in database.options)) throw new Error('no SQLite');
    path = database.options.sqlitePath;
  });

  afterEach(() => database.remove());

  it('is told by every write and by ping, and found again when it is back', async () => {
    const ledger = await database.open();
    await ledger.openRollout(rolloutRow());
    renameSync(path, `${path}.away`);
    for (const [name, call] of everyCall(ledger).filter(([each]) =>
      /^(open|commit|record[A-Z]|save|put|ping)/.test(each),
    )) {
      const fault = await call().then(
        () => null,
        (error: unknown) => error,
      );
      expect([name, fault]).toMatchObject([name, { code: 'ledger-unavailable' }]);
      expect(String(fault)).toContain(`the file is gone while it is in use; put ${path} back`);
    }
    renameSync(`${path}.away`, path);
    expect(await ledger.commitEvidence(batch)).toMatchObject({ inserted: 1 });
    expect(await readAll(ledger)).toEqual([record()]);
  });

  it('is not mistaken for another one in its place', async () => {
    const ledger = await database.open();
    await ledger.openRollout(rolloutRow());
    renameSync(path, `${path}.away`);
    await (await openLedger({ sqlitePath: path })).close();
    await expect(ledger.ping()).rejects.toThrow(/the file was replaced while it was in use; restart the worker/);
    renameSync(`${path}.away`, path);
  });

  it('that another process keeps locked is told, loses nothing, and works when it is free', async () => {
    const ledger = await openLedger({ sqlitePath: path, timeoutMs: 50 });
    onTestFinished(() => ledger.close());
    await ledger.openRollout(rolloutRow());
    const other = new Libsql(path);
    other.exec('begin immediate');
    const refused = ledger.commitEvidence(batch);
    await expect(refused).rejects.toThrow(
      /cannot commit evidence: database is locked; another process keeps it locked/,
    );
    await expect(refused).rejects.toMatchObject({ code: 'ledger-unavailable', cause: { code: 'SQLITE_BUSY' } });
    // A write of one statement fails in another way: libSQL leaves it in progress.
    await expect(ledger.recordLook(look())).rejects.toMatchObject({ cause: { code: 'SQLITE_BUSY' } });
    expect(await readAll(ledger)).toEqual([]);
    other.exec('commit');
    other.close();
    expect(await ledger.commitEvidence(batch)).toEqual({ inserted: 1, late: 0, closedThrough: END });
    expect(await readAll(ledger)).toEqual([record()]);
  });
});

it('says that it is closed when it is asked after that', async () => {
  const database = await createSqlite();
  const ledger = await openLedger(database.options);
  await ledger.close();
  await expect(ledger.ping()).rejects.toMatchObject({ code: 'ledger-unavailable' });
  await database.remove();
});

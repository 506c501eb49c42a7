import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ROLLOUT } from '../evidence/records.js';
import { DATABASES } from './databases.js';
import type { TestDatabase } from './databases.js';
import { batchOf } from './ledger-child.js';
import { compileLedger } from './ledger-process.js';
import type { CompiledLedger, LedgerProcess } from './ledger-process.js';
import { readAll, rolloutRow } from './rows.js';

let compiled: CompiledLedger;

beforeAll(async () => {
  compiled = await compileLedger();
});

afterAll(() => compiled?.remove());

describe.each(DATABASES)('processes on $kind', ({ create }) => {
  let database: TestDatabase;

  beforeEach(async () => {
    database = await create();
  });

  afterEach(() => database.remove());

  const start = (replica: string, commits: number): Promise<LedgerProcess> =>
    compiled.start({ options: database.options, replica, commits });

  it('migrate an empty database at once, each finding it ready', async () => {
    const workers = await Promise.all([1, 2, 3, 4].map((worker) => start(`router-${worker}`, 0)));
    for (const worker of workers) worker.go();
    const results = await Promise.all(workers.map((worker) => worker.ended()));
    expect(results).toEqual(Array(4).fill({ code: 0, stderr: '' }));
    const ledger = await database.open();
    await expect(ledger.openRollout(rolloutRow())).resolves.toEqual(rolloutRow());
  });

  it('write at once, and each record is there once', async () => {
    const ledger = await database.open();
    await ledger.openRollout(rolloutRow());
    const steps = 25;
    // Two of them collect from the same router.
    const workers = await Promise.all(['router-1', 'router-1', 'router-2'].map((replica) => start(replica, steps)));
    for (const worker of workers) worker.go();
    const own: Promise<unknown>[] = [];
    for (let step = 0; step < steps; step += 1) own.push(ledger.commitEvidence(batchOf('router-3', step)));
    const results = await Promise.all(workers.map((worker) => worker.ended()));
    await Promise.all(own);
    expect(results).toEqual(Array(3).fill({ code: 0, stderr: '' }));
    expect(await readAll(ledger)).toHaveLength(3 * steps * 2);
    expect(await ledger.ratings(ROLLOUT, 0, Number.MAX_SAFE_INTEGER)).toHaveLength(3 * steps);
  });

  it('killed between commit and acknowledgement send it all again, and nothing is lost or counted twice', async () => {
    const ledger = await database.open();
    await ledger.openRollout(rolloutRow());
    const worker = await start('router-1', 10_000);
    worker.go();
    let acknowledged = 0;
    for (let line = await worker.nextLine(); line !== null; line = await worker.nextLine()) {
      if (line.startsWith('committed')) acknowledged += 1;
      if (acknowledged === 20) break;
    }
    await worker.kill();
    const atLeast = await readAll(ledger);
    expect(atLeast.length).toBeGreaterThanOrEqual(2 * acknowledged);
    // Whole commits only: both variants of each interval.
    expect(atLeast.length % 2).toBe(0);
    const steps = atLeast.length / 2 + 5;
    // The router has heard of no acknowledgement: everything comes again, and a little more.
    for (let step = 0; step < steps; step += 1) await ledger.commitEvidence(batchOf('router-1', step));
    const all = await readAll(ledger);
    expect(all).toHaveLength(2 * steps);
    expect(new Set(all.map(({ intervalStart, variant }) => `${intervalStart} ${variant}`)).size).toBe(2 * steps);
    expect(await ledger.ratings(ROLLOUT, 0, Number.MAX_SAFE_INTEGER)).toHaveLength(steps);
  });
});

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SluiceError } from '../../src/plan/failures.js';
import { rolloutId } from '../../src/plan/ids.js';
import type { EvidenceRecord, RatingRecord } from '../../src/evidence/record.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import { FIRST, INTERVAL_MS, rating, realisticRecord, record, ROLLOUT, seededRandom } from '../evidence/records.js';
import { DATABASES } from './databases.js';
import type { TestDatabase } from './databases.js';
import { readAll, rolloutRow } from './rows.js';

/** End of the first interval. */
const END = FIRST + INTERVAL_MS;

describe.each(DATABASES)('commitEvidence on $kind', ({ create }) => {
  let database: TestDatabase;
  let ledger: Ledger;

  beforeEach(async () => {
    database = await create();
    ledger = await database.open();
    await ledger.openRollout(rolloutRow());
  });

  afterEach(() => database.remove());

  const commit = (records: readonly EvidenceRecord[], closedThrough = 0, ratings: readonly RatingRecord[] = []) =>
    ledger.commitEvidence({ rollout: ROLLOUT, records, ratings, closedThrough });

  it('gives back what it took, to the last bucket', async () => {
    const random = seededRandom(7);
    const assigned = { units: ['00000000000000ff', 'f00d00000000beef'], alone: 17 };
    const records = [
      record({ replica: 'router-1', dropped: { busy: 3 }, warmup: true, late: 1 }),
      realisticRecord({ variant: 'candidate', incomplete: true }, 30, random),
      realisticRecord({ variant: 'stable', replica: 'router-2', assigned }, 300, random),
    ];
    expect(await commit(records, END)).toEqual({ inserted: 3, late: 0, closedThrough: END });
    const [first, second, third] = records;
    expect(await readAll(ledger)).toEqual([second, first, third]);
  });

  it('counts a record once that is sent twice, in one batch, in two, and after the frontier has passed it', async () => {
    const sent = record();
    expect(await commit([sent, sent])).toMatchObject({ inserted: 1, late: 0 });
    expect(await commit([sent], END)).toMatchObject({ inserted: 0, late: 0, closedThrough: END });
    expect(await commit([sent], END)).toMatchObject({ inserted: 0, late: 0 });
    expect(await readAll(ledger)).toEqual([sent]);
  });

  it('replaces a record by its higher revision and keeps it against a lower one', async () => {
    const [first, second, third] = [1, 2, 3].map((revision) => record({ revision, started: revision }));
    if (first === undefined || second === undefined || third === undefined) throw new Error('three records');
    await commit([second]);
    expect(await commit([first])).toMatchObject({ inserted: 0 });
    expect(await readAll(ledger)).toEqual([second]);
    expect(await commit([third, first])).toMatchObject({ inserted: 1 });
    expect(await readAll(ledger)).toEqual([third]);
  });

  it('keeps what comes after the frontier as late, and never uses it', async () => {
    const used = record();
    await commit([used], END);
    const latecomer = record({ replica: 'router-2' });
    const correction = record({ revision: 2, started: 99 });
    expect(await commit([latecomer, correction], END)).toEqual({ inserted: 0, late: 2, closedThrough: END });
    expect(await commit([latecomer, correction], END)).toMatchObject({ inserted: 0, late: 0 });
    expect(await commit([{ ...latecomer, revision: 2 }], END)).toMatchObject({ inserted: 0, late: 1 });
    expect(await readAll(ledger)).toEqual([used]);
  });

  it('uses what came before the frontier passed it, in whatever batch the frontier came', async () => {
    const ahead = record({ intervalStart: FIRST + INTERVAL_MS });
    await commit([ahead], END);
    expect(await commit([record()], 0)).toMatchObject({ late: 1, closedThrough: END });
    expect(await commit([record({ intervalStart: END, replica: 'router-2' })], END + INTERVAL_MS)).toMatchObject({
      inserted: 1,
      late: 0,
    });
    expect(await readAll(ledger)).toHaveLength(2);
  });

  it('never moves the frontier back', async () => {
    expect(await ledger.closedThrough(ROLLOUT)).toBe(0);
    await commit([], END);
    expect(await commit([], END - 1)).toMatchObject({ closedThrough: END });
    expect(await ledger.closedThrough(ROLLOUT)).toBe(END);
  });

  it('takes the first rating of a nonce and no other', async () => {
    const first = rating();
    await commit([], 0, [first, rating({ rating: { kind: 'thumb', up: true } })]);
    await commit([], 0, [rating({ variant: 'stable' }), rating({ nonce: 'beef', requestStartedAt: FIRST })]);
    const ratings = await ledger.ratings(ROLLOUT, 0, END);
    const second = rating({ nonce: 'beef', requestStartedAt: FIRST });
    expect(ratings).toEqual([second, first].map((one) => ({ ...one, knownAfter: 0 })));
  });

  it('gives ratings by the frontier before their commit, in order of their requests', async () => {
    const at = (nonce: string, requestStartedAt: number): RatingRecord => rating({ nonce, requestStartedAt });
    await commit([], END, [at('b', FIRST + 1), at('c', FIRST + 2), at('a', FIRST + 2)]);
    await commit([], END + INTERVAL_MS, [at('old', FIRST), at('c', FIRST + 2)]);
    await commit([], END, [at('behind', FIRST)]);
    const known = async (after: number, through: number): Promise<readonly (readonly [string, number])[]> =>
      (await ledger.ratings(ROLLOUT, after, through)).map(({ nonce, knownAfter }) => [nonce, knownAfter]);
    const before = ['b', 'a', 'c'].map((nonce) => [nonce, 0]);
    expect(await known(0, END)).toEqual(before);
    expect(await known(0, END + 1)).toEqual([...before, ['old', END]]);
    expect(await known(1, END)).toEqual([]);
    expect(await known(END, END + INTERVAL_MS + 1)).toEqual([
      ['old', END],
      ['behind', END + INTERVAL_MS],
    ]);
  });

  it('stores nothing of a batch that holds one record that cannot be true', async () => {
    const broken = record({ replica: 'router-9', error: { trials: 1, events: 2 } });
    const refused = commit([record(), broken], END, [rating()]);
    await expect(refused).rejects.toThrow(SluiceError);
    await expect(refused).rejects.toThrow(/replica router-9.*events 2 exceed trials 1/);
    await expect(refused).rejects.toMatchObject({ code: 'evidence-invalid' });
    await expect(commit([record()], Number.NaN)).rejects.toThrow(/closedThrough.*is NaN/);
    await expect(commit([], 0, [rating({ nonce: '' })])).rejects.toMatchObject({ code: 'evidence-invalid' });
    expect(await readAll(ledger)).toEqual([]);
    expect(await ledger.ratings(ROLLOUT, 0, END)).toEqual([]);
    expect(await ledger.closedThrough(ROLLOUT)).toBe(0);
  });

  it('refuses an interval whose length differs within a generation, and stores nothing of its batch', async () => {
    await commit([record()]);
    const longer = record({ intervalMs: 2 * INTERVAL_MS });
    await expect(commit([record({ replica: 'router-2' }), longer], END)).rejects.toThrow(
      /process process-a\): intervalMs is 20000, earlier records of this generation have 10000/,
    );
    expect(await readAll(ledger)).toEqual([record()]);
    expect(await ledger.closedThrough(ROLLOUT)).toBe(0);
  });

  it('refuses evidence of another rollout, and of one that it does not know', async () => {
    const other = rolloutId('support@2026-12-01T09:00:00Z');
    await expect(commit([record({ rollout: other })])).rejects.toThrow(/rollout support@2026-12-01.*came with a batch/);
    await expect(commit([], 0, [rating({ rollout: other })])).rejects.toMatchObject({ code: 'evidence-invalid' });
    const unknown = { rollout: other, records: [], ratings: [], closedThrough: 0 };
    await expect(ledger.commitEvidence(unknown)).rejects.toMatchObject({ code: 'rollout-unknown' });
    await expect(ledger.closedThrough(other)).rejects.toMatchObject({ code: 'rollout-unknown' });
    await expect(ledger.ratings(other, 0, END)).rejects.toMatchObject({ code: 'rollout-unknown' });
    await expect(readAll(ledger, other)).rejects.toMatchObject({ code: 'rollout-unknown' });
  });

  it('takes batches larger than a statement', async () => {
    const records = Array.from({ length: 1_250 }, (_, step) =>
      record({ intervalStart: FIRST + step * INTERVAL_MS, process: `process-${step % 7}` }),
    );
    const ratings = records.map(({ intervalStart }, step) =>
      rating({ nonce: `nonce-${step}`, requestStartedAt: intervalStart }),
    );
    expect(await commit(records, END, ratings)).toMatchObject({ inserted: 1_250 });
    expect(await commit(records, END, ratings)).toMatchObject({ inserted: 0, late: 0 });
    expect(await readAll(ledger)).toEqual(records);
    const known = ratings.map((one) => ({ ...one, knownAfter: 0 }));
    expect(await ledger.ratings(ROLLOUT, 0, Number.MAX_SAFE_INTEGER)).toEqual(known);
  });

  it('adds up to the same when two collectors send the same evidence at once', async () => {
    const second = await database.open();
    const steps = Array.from({ length: 20 }, (_, step) => step);
    const send = async (to: Ledger, revision: number): Promise<void> => {
      for (const step of steps) {
        const records = ['router-1', 'router-2'].map((replica) =>
          record({ intervalStart: FIRST + step * INTERVAL_MS, replica, revision, started: revision }),
        );
        const ratings = [rating({ nonce: `nonce-${step}` })];
        await to.commitEvidence({ rollout: ROLLOUT, records, ratings, closedThrough: 0 });
      }
    };
    await Promise.all([send(ledger, 1), send(second, 2), send(ledger, 1)]);
    const all = await readAll(second);
    expect(all.map(({ revision }) => revision)).toEqual(Array(2 * steps.length).fill(2));
    expect(await ledger.ratings(ROLLOUT, 0, END)).toHaveLength(steps.length);
  });

  it('keeps one frontier when two collectors move it at once', async () => {
    const second = await database.open();
    const moves = Array.from({ length: 30 }, (_, step) => FIRST + ((step * 7) % 30) * INTERVAL_MS);
    const results = await Promise.all(
      moves.map((closedThrough, step) =>
        (step % 2 === 0 ? ledger : second).commitEvidence({
          rollout: ROLLOUT,
          records: [record({ intervalStart: closedThrough, replica: `router-${step}` })],
          ratings: [],
          closedThrough: closedThrough + INTERVAL_MS,
        }),
      ),
    );
    const last = Math.max(...moves) + INTERVAL_MS;
    expect(await ledger.closedThrough(ROLLOUT)).toBe(last);
    // Each record is either in use or late, by whether the frontier had passed it when it came.
    const inUse = results.reduce((sum, { inserted }) => sum + inserted, 0);
    const late = results.reduce((sum, result) => sum + result.late, 0);
    expect(inUse + late).toBe(moves.length);
    expect(await readAll(ledger)).toHaveLength(inUse);
  });
});

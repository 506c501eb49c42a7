/** Takes evidence into the ledger: all of a batch and its frontier, or nothing of it. */
import type { Kysely, Transaction } from 'kysely';
import { intervalEnd } from '../evidence/record.js';
import type { EvidenceRecord } from '../evidence/record.js';
import { validateRating, validateRecord } from '../evidence/validate-record.js';
import { SluiceError } from '../plan/failures.js';
import { evidenceSources, sourceKey } from './evidence-sources.js';
import { inChunks } from './in-chunks.js';
import { insertRatings } from './rating-rows.js';
import type { EvidenceBatch, Ledger } from './ledger.js';
import { packRecord } from './pack-record.js';
import { rolloutNumber } from './rollout-rows.js';
import type { EvidenceTable, LedgerTables } from './tables.js';

type Committed = Awaited<ReturnType<Ledger['commitEvidence']>>;
type NewRow = EvidenceTable;

/** See `Ledger.commitEvidence`. A batch that may be resent is taken in any order and as often as it comes. */
export async function commitEvidence(db: Kysely<LedgerTables>, batch: EvidenceBatch): Promise<Committed> {
  checkBatch(batch);
  return db.transaction().execute(async (transaction) => {
    const number = await rolloutNumber(transaction, batch.rollout);
    const frontier = await lockFrontier(transaction, number);
    const rows = await newRows(transaction, number, frontier, batch.records);
    await upsertEvidence(transaction, rows);
    await insertRatings(transaction, number, frontier, batch.ratings);
    const closedThrough = Math.max(frontier, batch.closedThrough);
    if (closedThrough > frontier) {
      await transaction
        .updateTable('frontier')
        .set({ closed_through: closedThrough })
        .where('rollout_number', '=', number)
        .execute();
    }
    const late = rows.filter((row) => row.late === 1).length;
    return { inserted: rows.length - late, late, closedThrough };
  });
}

export async function readFrontier(db: Kysely<LedgerTables>, number: number): Promise<number> {
  const { closed_through: closedThrough } = await db
    .selectFrom('frontier')
    .select('closed_through')
    .where('rollout_number', '=', number)
    .executeTakeFirstOrThrow();
  return closedThrough;
}

/** Commits of one rollout come one after the other: the row is written, which locks it, before anything is read. */
async function lockFrontier(transaction: Transaction<LedgerTables>, number: number): Promise<number> {
  const { closed_through: closedThrough } = await transaction
    .updateTable('frontier')
    .set((build) => ({ closed_through: build.ref('closed_through') }))
    .where('rollout_number', '=', number)
    .returning('closed_through')
    .executeTakeFirstOrThrow();
  return closedThrough;
}

/** Before anything is written: a batch with one record that cannot be true is refused as a whole. */
function checkBatch(batch: EvidenceBatch): void {
  if (!Number.isSafeInteger(batch.closedThrough) || batch.closedThrough < 0) {
    throw new SluiceError(
      'evidence-invalid',
      `closedThrough of rollout ${batch.rollout} is ${batch.closedThrough}, not a time in Unix ms`,
    );
  }
  batch.records.forEach(validateRecord);
  batch.ratings.forEach(validateRating);
  const stray = [...batch.records, ...batch.ratings].find(({ rollout }) => rollout !== batch.rollout);
  if (stray === undefined) return;
  throw new SluiceError(
    'evidence-invalid',
    `evidence of rollout ${stray.rollout} came with a batch of ${batch.rollout}; ask the routers for one rollout at a time`,
  );
}

/** The rows that say something new: what is there already, or newer there, is left out. */
async function newRows(
  transaction: Transaction<LedgerTables>,
  number: number,
  frontier: number,
  records: readonly EvidenceRecord[],
): Promise<readonly NewRow[]> {
  if (records.length === 0) return [];
  const sources = await evidenceSources(transaction, number, records);
  const revisions = await knownRevisions(transaction, number, records, [...new Set(sources.values())]);
  const rows = new Map<string, NewRow>();
  for (const record of records) {
    const source = sources.get(sourceKey(record));
    if (source === undefined) throw new Error(`no source for process ${record.process}`);
    const end = intervalEnd(record);
    const isKnown = (late: number): boolean =>
      (revisions.get(rowKey({ interval_end: end, source, late })) ?? -1) >= record.revision;
    if (isKnown(0)) continue;
    const late = end <= frontier ? 1 : 0;
    if (late === 1 && isKnown(1)) continue;
    const key = { rollout_number: number, interval_end: end, source, late };
    revisions.set(rowKey(key), record.revision);
    rows.set(rowKey(key), { ...key, revision: record.revision, body: packRecord(record) });
  }
  return [...rows.values()];
}

async function knownRevisions(
  transaction: Transaction<LedgerTables>,
  number: number,
  records: readonly EvidenceRecord[],
  sources: readonly number[],
): Promise<Map<string, number>> {
  let first = Number.POSITIVE_INFINITY;
  let last = 0;
  for (const record of records) {
    first = Math.min(first, intervalEnd(record));
    last = Math.max(last, intervalEnd(record));
  }
  const known = await transaction
    .selectFrom('evidence')
    .select(['interval_end', 'source', 'late', 'revision'])
    .where('rollout_number', '=', number)
    .where('interval_end', '>=', first)
    .where('interval_end', '<=', last)
    .where('source', 'in', sources)
    .execute();
  return new Map(known.map((row) => [rowKey(row), row.revision]));
}

function rowKey(row: Pick<EvidenceTable, 'interval_end' | 'source' | 'late'>): string {
  return `${row.interval_end} ${row.source} ${row.late}`;
}

async function upsertEvidence(transaction: Transaction<LedgerTables>, rows: readonly NewRow[]): Promise<void> {
  for (const chunk of inChunks(rows)) {
    await transaction
      .insertInto('evidence')
      .values(chunk)
      .onConflict((conflict) =>
        conflict.columns(['rollout_number', 'interval_end', 'source', 'late']).doUpdateSet((build) => ({
          revision: build.ref('excluded.revision'),
          body: build.ref('excluded.body'),
        })),
      )
      .execute();
  }
}

/** Evidence in the order of use, a batch at a time: memory stays the same however long the rollout ran. */
import { setImmediate as turnOfOthers } from 'node:timers/promises';
import type { Kysely, Selectable } from 'kysely';
import { compareRecords } from '../evidence/record-order.js';
import type { EvidenceRecord } from '../evidence/record.js';
import type { RolloutId } from '../plan/ids.js';
import { unpackRecord } from './pack-record.js';
import { rolloutNumber } from './rollout-rows.js';
import type { EvidenceSourceTable, EvidenceTable, LedgerTables } from './tables.js';

/**
 * Unpacked within some 10 ms, so that heartbeats and timers of the process go on; and gone before the garbage collector
 * takes them for lasting, which with larger batches costs more than the reading.
 */
const BATCH_ROWS = 100;

type Database = Kysely<LedgerTables>;
type Row = Pick<EvidenceTable, 'interval_end' | 'source' | 'revision' | 'body'>;
type Sources = Map<number, Selectable<EvidenceSourceTable>>;

/** See `Ledger.evidence`. */
export async function* readEvidence(
  db: Database,
  rollout: RolloutId,
  after: number,
  through: number,
): AsyncGenerator<readonly EvidenceRecord[]> {
  const number = await rolloutNumber(db, rollout);
  const sources: Sources = new Map();
  let end = after;
  let limit = BATCH_ROWS;
  for (;;) {
    const rows = await nextRows(db, number, end, through, limit);
    const last = rows.at(-1);
    if (last === undefined) return;
    // A fleet whose interval ends are larger than a batch is asked for one end at a time, once.
    if (rows.length > limit) limit = 2 * rows.length;
    if (rows.some(({ source }) => !sources.has(source))) await loadSources(db, number, sources);
    yield rows.map((row) => recordOf(row, rollout, sources)).toSorted(compareRecords);
    end = last.interval_end;
    await turnOfOthers();
  }
}

/** The next rows by interval end, all of each end: no more than `limit` unless the first end alone has more. */
async function nextRows(
  db: Database,
  number: number,
  after: number,
  through: number,
  limit: number,
): Promise<readonly Row[]> {
  const query = db
    .selectFrom('evidence')
    .select(['interval_end', 'source', 'revision', 'body'])
    .where('rollout_number', '=', number)
    .where('late', '=', 0);
  const rows = await query
    .where('interval_end', '>', after)
    .where('interval_end', '<=', through)
    .orderBy('interval_end')
    .limit(limit)
    .execute();
  const last = rows.at(-1);
  if (last === undefined || rows.length < limit) return rows;
  // The last end may go on behind the limit.
  const whole = rows.filter((row) => row.interval_end < last.interval_end);
  if (whole.length > 0) return whole;
  return query.where('interval_end', '=', last.interval_end).execute();
}

async function loadSources(db: Database, number: number, sources: Sources): Promise<void> {
  const found = await db.selectFrom('evidence_source').selectAll().where('rollout_number', '=', number).execute();
  for (const source of found) sources.set(source.id, source);
}

function recordOf(row: Row, rollout: RolloutId, sources: Sources): EvidenceRecord {
  const source = sources.get(row.source);
  if (source === undefined)
    throw new Error(`evidence of rollout ${rollout} has source ${row.source}, which is missing`);
  return {
    rollout,
    generation: source.generation,
    stage: source.stage,
    intervalStart: row.interval_end - source.interval_ms,
    intervalMs: source.interval_ms,
    stratum: source.stratum,
    variant: source.variant,
    replica: source.replica,
    process: source.process,
    revision: row.revision,
    ...unpackRecord(row.body),
  };
}

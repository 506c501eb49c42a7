/** Evidence in the order of use, a batch at a time: memory stays the same however long the rollout ran. */
import { setImmediate as turnOfOthers } from 'node:timers/promises';
import type { Kysely, Selectable } from 'kysely';
import { compareRecords } from '../evidence/record-order.js';
import type { EvidenceRecord } from '../evidence/record.js';
import type { RolloutId } from '../plan/ids.js';
import { unpackRecord } from './pack-record.js';
import { rolloutNumber } from './rollout-rows.js';
import type { EvidenceSourceTable, EvidenceTable, LedgerTables } from './tables.js';

/** Unpacked within about 20 ms, so that heartbeats and timers of the process go on. */
const BATCH_ROWS = 500;

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
  for (;;) {
    const rows = await nextRows(db, number, end, through);
    const last = rows.at(-1);
    if (last === undefined) return;
    if (rows.some(({ source }) => !sources.has(source))) await loadSources(db, number, sources);
    yield rows.map((row) => recordOf(row, rollout, sources)).toSorted(compareRecords);
    end = last.interval_end;
    await turnOfOthers();
  }
}

/** The next rows by interval end, all of each end: at least one end, and no more rows than a batch if that is possible. */
async function nextRows(db: Database, number: number, after: number, through: number): Promise<readonly Row[]> {
  const query = db
    .selectFrom('evidence')
    .select(['interval_end', 'source', 'revision', 'body'])
    .where('rollout_number', '=', number)
    .where('late', '=', 0);
  const rows = await query
    .where('interval_end', '>', after)
    .where('interval_end', '<=', through)
    .orderBy('interval_end')
    .limit(BATCH_ROWS)
    .execute();
  const last = rows.at(-1);
  if (last === undefined || rows.length < BATCH_ROWS) return rows;
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

/** The short names under which evidence rows carry the long part of their key. */
import type { Selectable, Transaction } from 'kysely';
import type { EvidenceRecord } from '../evidence/record.js';
import { nameOfRecord } from '../evidence/validate-record.js';
import { SluiceError } from '../plan/failures.js';
import { inChunks } from './in-chunks.js';
import type { EvidenceSourceTable, LedgerTables } from './tables.js';

type Source = Selectable<EvidenceSourceTable>;
type SourceKey = Pick<EvidenceRecord, 'generation' | 'stage' | 'stratum' | 'variant' | 'replica' | 'process'>;

export function sourceKey(key: SourceKey): string {
  const { generation, stage, stratum, variant, replica, process } = key;
  return JSON.stringify([generation, stage, stratum, variant, replica, process]);
}

/**
 * Ids by `sourceKey`, new ones given where needed. Runs inside a transaction that holds the rollout's frontier.
 *
 * @throws SluiceError `evidence-invalid` when a record's interval has another length than the source's: within a
 * generation all have one, and intervals that overlap would be counted twice
 */
export async function evidenceSources(
  transaction: Transaction<LedgerTables>,
  number: number,
  records: readonly EvidenceRecord[],
): Promise<ReadonlyMap<string, number>> {
  const wanted = new Map<string, EvidenceRecord>();
  for (const record of records) wanted.set(sourceKey(record), record);
  const known = await knownSources(transaction, number, [...new Set(records.map(({ process }) => process))]);
  const missing = [...wanted].filter(([key]) => !known.has(key)).map(([, record]) => record);
  for (const chunk of inChunks(missing)) {
    const added = await transaction
      .insertInto('evidence_source')
      .values(
        chunk.map((record) => ({
          rollout_number: number,
          generation: record.generation,
          stage: record.stage,
          stratum: record.stratum,
          variant: record.variant,
          replica: record.replica,
          process: record.process,
          interval_ms: record.intervalMs,
        })),
      )
      .returningAll()
      .execute();
    for (const source of added) known.set(sourceKey(source), source);
  }
  const ids = new Map<string, number>();
  for (const record of records) {
    const key = sourceKey(record);
    const source = known.get(key);
    if (source === undefined) throw new Error(`the ledger did not keep the source of process ${record.process}`);
    ids.set(key, source.id);
    if (source.interval_ms === record.intervalMs) continue;
    throw new SluiceError(
      'evidence-invalid',
      `${nameOfRecord(record)}: intervalMs is ${record.intervalMs}, earlier records of this generation have ` +
        `${source.interval_ms}; none of its batch was stored, mend the router that wrote it`,
    );
  }
  return ids;
}

async function knownSources(
  transaction: Transaction<LedgerTables>,
  number: number,
  processes: readonly string[],
): Promise<Map<string, Source>> {
  const known = new Map<string, Source>();
  for (const chunk of inChunks(processes)) {
    const found = await transaction
      .selectFrom('evidence_source')
      .selectAll()
      .where('rollout_number', '=', number)
      .where('process', 'in', chunk)
      .execute();
    for (const source of found) known.set(sourceKey(source), source);
  }
  return known;
}

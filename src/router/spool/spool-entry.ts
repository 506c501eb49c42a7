import { z } from 'zod';
import { intervalEnd } from '../../evidence/record.js';
import type { EvidenceRecord, RatingRecord } from '../../evidence/record.js';
import type { Segment } from './segment.js';

/** What waits for the ledger: a record or a rating as the JSON that the collector will get. */
export interface SpoolItem {
  readonly kind: 'record' | 'rating';
  readonly rollout: string;
  /** End of a record's interval, Unix ms; a rating's own time. */
  readonly atMs: number;
  /** A record that stands for one that was dropped. */
  readonly tombstone: boolean;
  readonly json: string;
}

/** One item and where its line is. */
export interface SpoolEntry extends Omit<SpoolItem, 'json'> {
  readonly sequence: number;
  /** Of its line, the line feed included. */
  readonly bytes: number;
  /** null = on disk only. */
  line: string | null;
  /** null until it is written. */
  place: { readonly segment: Segment; readonly offset: number } | null;
}

export function recordItem(record: EvidenceRecord): SpoolItem {
  const { rollout, revision } = record;
  return {
    kind: 'record',
    rollout,
    atMs: intervalEnd(record),
    tombstone: revision === 0,
    json: JSON.stringify(record),
  };
}

export function ratingItem(rating: RatingRecord): SpoolItem {
  return {
    kind: 'rating',
    rollout: rating.rollout,
    atMs: rating.ratedAt,
    tombstone: false,
    json: JSON.stringify(rating),
  };
}

export function entryOf(sequence: number, item: SpoolItem): SpoolEntry {
  const { json, ...fields } = item;
  const line = `${lineHead(sequence, item.kind)}${json}}`;
  return { ...fields, sequence, bytes: Buffer.byteLength(line) + 1, line, place: null };
}

/** The item's own JSON, out of its line. */
export function itemJson(entry: SpoolEntry, line: string): string {
  return line.slice(lineHead(entry.sequence, entry.kind).length, -1);
}

/** The fields of a line that the spool itself reads; the rest belongs to whoever wrote it and comes back as it was. */
const lineSchema = z.object({
  sequence: z.number().int().positive(),
  kind: z.enum(['record', 'rating']),
  item: z.object({
    rollout: z.string(),
    intervalStart: z.number().optional(),
    intervalMs: z.number().optional(),
    revision: z.number().optional(),
    ratedAt: z.number().optional(),
  }),
});

/** The entry of a line found on disk; null for a line that was cut off or is none of ours. */
export function entryOfLine(text: string, segment: Segment, offset: number): SpoolEntry | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  const line = lineSchema.safeParse(value);
  if (!line.success) return null;
  const { sequence, kind, item } = line.data;
  if (!text.startsWith(lineHead(sequence, kind))) return null;
  return {
    sequence,
    kind,
    rollout: item.rollout,
    atMs: kind === 'record' ? (item.intervalStart ?? 0) + (item.intervalMs ?? 0) : (item.ratedAt ?? 0),
    tombstone: kind === 'record' && item.revision === 0,
    bytes: Buffer.byteLength(text) + 1,
    line: null,
    place: { segment, offset },
  };
}

function lineHead(sequence: number, kind: SpoolItem['kind']): string {
  return `{"sequence":${sequence},"kind":"${kind}","item":`;
}

import type { EvidenceRecord } from '../../evidence/record.js';
import type { IntervalBatch } from './interval-batch.js';
import { addStageUsers, copyStageUsers, noStageUsers } from './stage-dominance.js';
import type { StageUsers } from './stage-dominance.js';

/** How far back "the traffic of the last minutes" goes, ms. */
const RECENT_MS = 300_000;

/** Compared requests of one interval end, of both variants. */
export interface RecentInterval {
  readonly start: number;
  readonly end: number;
  readonly requests: number;
}

/** Requests of one stage and generation. */
export interface GenerationRequests {
  readonly generation: number;
  stable: number;
  candidate: number;
}

/** What one stage has seen, as plain data; it is its own snapshot. */
export interface StageCounts {
  readonly requests: GenerationRequests[];
  /** Requests of compared strata, both variants. */
  compared: number;
  /** Parts of intervals by process, and how many of them were incomplete. */
  slices: number;
  incompleteSlices: number;
  started: number;
  late: number;
  recent: RecentInterval[];
  /** Who sent the compared requests. */
  readonly users: StageUsers;
}

export function emptyStageCounts(): StageCounts {
  return {
    requests: [],
    compared: 0,
    slices: 0,
    incompleteSlices: 0,
    started: 0,
    late: 0,
    recent: [],
    users: noStageUsers(),
  };
}

/** Counts one interval end into its stages. */
export function countBatch(counts: readonly StageCounts[], batch: IntervalBatch): void {
  for (const { stageIndex, incomplete } of batch.slices) {
    const stage = counts[stageIndex];
    if (!stage) continue;
    stage.slices++;
    if (incomplete) stage.incompleteSlices++;
  }
  const comparedNow = new Map<StageCounts, { start: number; requests: number; records: EvidenceRecord[] }>();
  for (const { record, stageIndex, compared } of batch.records) {
    const stage = counts[stageIndex];
    if (!stage) continue;
    stage.started += record.started;
    stage.late += record.late;
    generationOf(stage, record.generation)[record.variant] += record.error.trials;
    if (!compared) continue;
    stage.compared += record.error.trials;
    const now = comparedNow.get(stage) ?? { start: record.intervalStart, requests: 0, records: [] };
    now.start = Math.min(now.start, record.intervalStart);
    now.requests += record.error.trials;
    now.records.push(record);
    comparedNow.set(stage, now);
  }
  for (const [stage, { start, requests, records }] of comparedNow) {
    addStageUsers(stage.users, records);
    stage.recent.push({ start, end: batch.intervalEnd, requests });
    while ((stage.recent[0]?.end ?? Infinity) <= batch.intervalEnd - RECENT_MS) stage.recent.shift();
  }
}

/** Requests of a stage from a generation on. */
export function requestsOf(
  stage: StageCounts,
  fromGeneration: number,
): { readonly stable: number; readonly candidate: number } {
  let stable = 0;
  let candidate = 0;
  for (const part of stage.requests) {
    if (part.generation < fromGeneration) continue;
    stable += part.stable;
    candidate += part.candidate;
  }
  return { stable, candidate };
}

/** Compared requests per second over the last minutes of the stage's evidence; null without any. */
export function requestsPerSecond(stage: StageCounts): number | null {
  const first = stage.recent[0];
  const last = stage.recent.at(-1);
  if (!first || !last) return null;
  const requests = stage.recent.reduce((sum, interval) => sum + interval.requests, 0);
  return requests === 0 ? null : (1000 * requests) / (last.end - first.start);
}

/** A copy that shares nothing. */
export function copyStageCounts(counts: StageCounts): StageCounts {
  return {
    ...counts,
    requests: counts.requests.map((part) => ({ ...part })),
    recent: counts.recent.map((interval) => ({ ...interval })),
    users: copyStageUsers(counts.users),
  };
}

function generationOf(stage: StageCounts, generation: number): GenerationRequests {
  const known = stage.requests.find((part) => part.generation === generation);
  if (known) return known;
  const part: GenerationRequests = { generation, stable: 0, candidate: 0 };
  stage.requests.push(part);
  return part;
}

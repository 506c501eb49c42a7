/** The tables, as the queries see them. Times are Unix ms; texts that hold JSON say of what. */
import type { Generated } from 'kysely';
import type { Look } from '../evidence/look.js';
import type { Histogram, RatingRecord } from '../evidence/record.js';
import type { RolloutId, RouteName, StageName, UpstreamName } from '../plan/ids.js';
import type { Split } from '../plan/split.js';
import type { Decision, RolloutStatus } from '../plan/status.js';
import type { Plan, Variant } from '../plan/types.js';
import type { Json } from './json.js';

export interface RolloutTable {
  /** Short name within the database: evidence rows carry it instead of the id. */
  readonly number: Generated<number>;
  readonly rollout: RolloutId;
  readonly route: RouteName;
  readonly started_at: number;
  readonly plan: Json<Plan>;
  readonly salt: string;
  readonly seeds: Json<Readonly<Record<string, Histogram>>>;
  /** When its evidence was deleted after the retention; null = it is there. */
  readonly expired_at: number | null;
}

/** How far the evidence of a rollout is closed. Each commit writes this row first, which puts commits in a row. */
export interface FrontierTable {
  readonly rollout_number: number;
  readonly closed_through: number;
}

/** What the records of one process, stratum and variant under one generation have in common: stored once. */
export interface EvidenceSourceTable {
  readonly id: Generated<number>;
  readonly rollout_number: number;
  readonly generation: number;
  readonly stage: StageName;
  readonly stratum: string;
  readonly variant: Variant;
  readonly replica: string;
  readonly process: string;
  readonly interval_ms: number;
}

export interface EvidenceTable {
  readonly rollout_number: number;
  readonly interval_end: number;
  readonly source: number;
  /** 1 = it came after the frontier had passed it: kept, never used. */
  readonly late: number;
  readonly revision: number;
  /** See pack-record.ts. SQLite gives an `ArrayBuffer`, Postgres a `Buffer`. */
  readonly body: Uint8Array | ArrayBuffer;
}

export interface RatingTable {
  readonly nonce: string;
  readonly rollout_number: number;
  readonly request_started_at: number;
  /** The frontier before the commit that brought it. */
  readonly known_after: number;
  readonly body: Json<RatingRecord>;
}

export interface LookTable {
  readonly look: string;
  readonly rollout: RolloutId;
  readonly closed_through: number;
  readonly at: number;
  readonly body: Json<Look>;
}

export interface DecisionTable {
  readonly rollout: RolloutId;
  readonly sequence: number;
  readonly body: Json<Decision>;
}

export interface StatusTable {
  readonly rollout: RolloutId;
  readonly route: RouteName;
  /** From the rollout's id, so that a rollout that failed before it was opened has one too. */
  readonly started_at: number;
  /** 1 once there is an outcome. With generation and decided_at: which of two states is the newer. */
  readonly ended: number;
  readonly generation: number;
  readonly decided_at: number;
  readonly ended_at: number | null;
  readonly body: Json<RolloutStatus>;
}

export interface RouteTable {
  readonly route: RouteName;
  readonly stable: UpstreamName;
  readonly generation: number;
  readonly split: Json<Split>;
  readonly updated_at: number;
}

export interface LedgerTables {
  readonly rollout: RolloutTable;
  readonly frontier: FrontierTable;
  readonly evidence_source: EvidenceSourceTable;
  readonly evidence: EvidenceTable;
  readonly rating: RatingTable;
  readonly look: LookTable;
  readonly decision: DecisionTable;
  readonly status: StatusTable;
  readonly route: RouteTable;
}

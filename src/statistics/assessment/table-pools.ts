import type { Variant } from '../../plan/types.js';
import type { Table } from '../table.js';
import { compareText } from './interval-batch.js';
import { UserSums } from './user-sums.js';
import type { UserSumsSnapshot } from './user-sums.js';

/** A table that still grows. */
export interface GrowingTable {
  candidateEvents: number;
  candidateTrials: number;
  stableEvents: number;
  stableTrials: number;
}

/** What intervals must share to be pooled: never across a generation, a stratum or a warm-up boundary. */
export interface PoolPlace {
  readonly stageIndex: number;
  readonly generation: number;
  readonly stratum: string;
  readonly warmup: boolean;
}

/**
 * Intervals summed into one table each of `tables`. `fixed` is what was decided before the first of them and holds for
 * the whole pool, such as a threshold.
 */
export interface Pool<Fixed> {
  readonly place: PoolPlace;
  readonly fixed: Fixed;
  readonly tables: readonly GrowingTable[];
  /** The users whose requests are in the tables. */
  readonly users: UserSums;
}

/** The same as plain data. */
export interface PoolSnapshot<Fixed> extends Omit<Pool<Fixed>, 'users'> {
  readonly users: UserSumsSnapshot;
}

/** Both variants together have this many trials before a pool becomes evidence. */
const ENOUGH_TRIALS = 20;

/**
 * Sums consecutive intervals of one generation and stratum until both variants have a trial and together 20, so that a
 * quiet service loses nothing. Only counts of trials decide, never outcomes, which keeps the tests valid; a stratum that
 * only one variant serves never becomes evidence.
 */
export class TablePools<Fixed> {
  private readonly pools = new Map<string, Pool<Fixed>>();
  private readonly tablesPerPool: number;

  /** @param tablesPerPool tables that one pool sums: as many as its guardrail has ways of counting an event */
  constructor(tablesPerPool: number, pools: readonly PoolSnapshot<Fixed>[] = []) {
    this.tablesPerPool = tablesPerPool;
    for (const pool of pools) {
      this.pools.set(keyOf(pool.place), { ...copyOf(pool), users: new UserSums(pool.users) });
    }
  }

  /** The pool that is open at a place, or a new one with `fixed` as it is now. */
  at(place: PoolPlace, fixed: Fixed): Pool<Fixed> {
    const key = keyOf(place);
    let pool = this.pools.get(key);
    if (!pool) {
      pool = { place, fixed, tables: Array.from({ length: this.tablesPerPool }, emptyTable), users: new UserSums() };
      this.pools.set(key, pool);
    }
    return pool;
  }

  /** The pool that is open at a place, if one is. */
  open(place: PoolPlace): Pool<Fixed> | undefined {
    return this.pools.get(keyOf(place));
  }

  /** Takes out the pools that have enough, in an order that depends on nothing but their places. */
  takeReady(): readonly Pool<Fixed>[] {
    const ready: Pool<Fixed>[] = [];
    for (const [key, pool] of this.pools) {
      const [table] = pool.tables;
      if (table === undefined || !isReady(table)) continue;
      this.pools.delete(key);
      ready.push(pool);
    }
    return ready.toSorted((left, right) => comparePlaces(left.place, right.place));
  }

  /** Copies of the pools still open, in canonical order. */
  snapshot(): readonly PoolSnapshot<Fixed>[] {
    return [...this.pools.values()]
      .toSorted((left, right) => comparePlaces(left.place, right.place))
      .map((pool) => ({ ...copyOf(pool), users: pool.users.snapshot() }));
  }
}

export function emptyTable(): GrowingTable {
  return { candidateEvents: 0, candidateTrials: 0, stableEvents: 0, stableTrials: 0 };
}

/** Adds counts of one variant. */
export function addCounts(table: GrowingTable, variant: Variant, trials: number, events: number): void {
  if (variant === 'candidate') {
    table.candidateTrials += trials;
    table.candidateEvents += events;
  } else {
    table.stableTrials += trials;
    table.stableEvents += events;
  }
}

export function addTable(sum: GrowingTable, table: Table): void {
  addCounts(sum, 'candidate', table.candidateTrials, table.candidateEvents);
  addCounts(sum, 'stable', table.stableTrials, table.stableEvents);
}

function isReady(table: Table): boolean {
  return (
    table.candidateTrials > 0 && table.stableTrials > 0 && table.candidateTrials + table.stableTrials >= ENOUGH_TRIALS
  );
}

function keyOf(place: PoolPlace): string {
  // The stratum last: it alone could hold a blank.
  return `${place.stageIndex} ${place.generation} ${place.warmup} ${place.stratum}`;
}

function comparePlaces(left: PoolPlace, right: PoolPlace): number {
  return (
    left.generation - right.generation ||
    left.stageIndex - right.stageIndex ||
    compareText(left.stratum, right.stratum) ||
    Number(left.warmup) - Number(right.warmup)
  );
}

function copyOf<Fixed>(pool: Omit<Pool<Fixed>, 'users'>): Omit<Pool<Fixed>, 'users'> {
  return { place: { ...pool.place }, fixed: pool.fixed, tables: pool.tables.map((table) => ({ ...table })) };
}

/** The ledger over either database: the port's methods, one to a file of queries, with their faults put into words. */
import { sql } from 'kysely';
import { commitEvidence, readFrontier } from './commit-evidence.js';
import { insertDecision, listDecisions } from './decision-rows.js';
import { expireRollouts } from './expire.js';
import type { LedgerDatabase } from './ledger-database.js';
import { ledgerError } from './ledger-error.js';
import type { Ledger } from './ledger.js';
import { findLook, insertLook, listLooks } from './look-rows.js';
import { readRatings } from './rating-rows.js';
import { readEvidence } from './read-evidence.js';
import { findRollout, listRollouts, openRollout, rolloutNumber } from './rollout-rows.js';
import { findRouteRow, listRouteRows, upsertRouteRow } from './route-rows.js';
import { lastStatuses, lastStatusOf, upsertStatus } from './status-rows.js';

/** Methods throw `SluiceError`: `ledger-unavailable` with the fault as its cause, or what the port says. */
export function sqlLedger(database: LedgerDatabase): Ledger {
  const { db, target } = database;

  const read = async <Result>(action: string, work: () => Promise<Result>): Promise<Result> => {
    try {
      return await work();
    } catch (fault) {
      throw ledgerError(target, action, fault);
    }
  };
  const write = <Result>(action: string, work: () => Promise<Result>): Promise<Result> =>
    read(action, () => database.write(work));

  return {
    openRollout: (row) => write('open a rollout', () => openRollout(db, row)),
    rollout: (id) => read('read a rollout', () => findRollout(db, id)),
    rollouts: (route, limit) => read('list rollouts', () => listRollouts(db, route, limit)),

    commitEvidence: (batch) => write('commit evidence', () => commitEvidence(db, batch)),
    closedThrough: (rollout) =>
      read('read the frontier', async () => readFrontier(db, await rolloutNumber(db, rollout))),
    async *evidence(rollout, after, through) {
      try {
        yield* readEvidence(db, rollout, after, through);
      } catch (fault) {
        throw ledgerError(target, 'read evidence', fault);
      }
    },
    ratings: (rollout, after, through) =>
      read('read ratings', async () => readRatings(db, await rolloutNumber(db, rollout), after, through)),

    recordLook: (look) => write('record a look', () => insertLook(db, look)),
    look: (id) => read('read a look', () => findLook(db, id)),
    looks: (rollout) => read('list looks', () => listLooks(db, rollout)),

    recordDecision: (rollout, sequence, decision) =>
      write('record a decision', () => insertDecision(db, rollout, sequence, decision)),
    decisions: (rollout) => read('list decisions', () => listDecisions(db, rollout)),
    saveStatus: (status) => write('save a status', () => upsertStatus(db, status)),
    lastStatus: (route) => read('read the last status', () => lastStatusOf(db, route)),
    lastStatuses: () => read('read the last statuses', () => lastStatuses(db, null)),

    routeRow: (route) => read('read a route', () => findRouteRow(db, route)),
    routeRows: () => read('list routes', () => listRouteRows(db)),
    putRouteRow: (row) => write('keep a route', () => upsertRouteRow(db, row)),

    expire: (before) =>
      read('delete what has expired', async () => ({
        rollouts: await expireRollouts(db, before, (work) => database.write(work)),
      })),
    ping: () =>
      read('answer', async () => {
        database.check();
        await sql`select 1 from migration`.execute(db);
      }),
    close: () => database.close(),
  };
}

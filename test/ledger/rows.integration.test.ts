import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Ledger } from '../../src/ledger/ledger.js';
import { rolloutId, routeName, stageName } from '../../src/plan/ids.js';
import { FIRST, INTERVAL_MS, rating, record, ROLLOUT } from '../evidence/records.js';
import { DATABASES } from './databases.js';
import type { TestDatabase } from './databases.js';
import {
  decision,
  endedStatus,
  laterRollout,
  look,
  readAll,
  rolloutRow,
  ROUTE,
  routeRow,
  split,
  status,
} from './rows.js';

const OTHER = routeName('search');
const OTHER_ROLLOUT = rolloutId('search@2026-11-24T09:00:00Z');
const HOUR = 3_600_000;

describe.each(DATABASES)('rows on $kind', ({ create }) => {
  let database: TestDatabase;
  let ledger: Ledger;

  beforeEach(async () => {
    database = await create();
    ledger = await database.open();
  });

  afterEach(() => database.remove());

  it('starts a rollout once, however often it is started', async () => {
    const first = rolloutRow();
    expect(await ledger.rollout(ROLLOUT)).toBeNull();
    expect(await ledger.openRollout(first)).toEqual(first);
    const again = await database.open();
    const twice = await Promise.all([
      ledger.openRollout({ ...first, salt: 'salt-2' }),
      again.openRollout({ ...first, salt: 'salt-3' }),
    ]);
    expect(twice).toEqual([first, first]);
    expect(await again.rollout(ROLLOUT)).toEqual(first);
    expect(await ledger.closedThrough(ROLLOUT)).toBe(0);
  });

  it('lists rollouts, newest first', async () => {
    const rows = [
      rolloutRow(),
      rolloutRow(laterRollout(2)),
      rolloutRow({ rollout: OTHER_ROLLOUT, route: OTHER, startedAt: FIRST + HOUR }),
      rolloutRow(laterRollout(3)),
    ];
    for (const row of rows) await ledger.openRollout(row);
    const [first, second, other, third] = rows;
    expect(await ledger.rollouts(ROUTE, 10)).toEqual([third, second, first]);
    expect(await ledger.rollouts(null, 3)).toEqual([third, second, other]);
    expect(await ledger.rollouts(routeName('unknown'), 3)).toEqual([]);
  });

  it('keeps the first record of a look and of a decision', async () => {
    const first = look();
    await ledger.recordLook(first);
    await ledger.recordLook(look({ incompleteShare: 0.5 }));
    expect(await ledger.look(first.id)).toEqual(first);
    expect(await ledger.look('unknown')).toBeNull();

    await ledger.recordDecision(ROLLOUT, 1, decision());
    await ledger.recordDecision(ROLLOUT, 1, decision({ reason: 'another' }));
    expect(await ledger.decisions(ROLLOUT)).toEqual([decision()]);
  });

  it('lists looks in the order of their evidence and decisions in their sequence', async () => {
    const second = look({ id: 'b', position: { closedThrough: FIRST + 2 } });
    const first = look({ id: 'c', position: { closedThrough: FIRST + 1 } });
    await ledger.recordLook(second);
    await ledger.recordLook(first);
    await ledger.recordLook(look({ id: 'a', rollout: OTHER_ROLLOUT }));
    expect(await ledger.looks(ROLLOUT)).toEqual([first, second]);

    for (const sequence of [10, 9, 1]) {
      await ledger.recordDecision(ROLLOUT, sequence, decision({ reason: `number ${sequence}` }));
    }
    const reasons = (await ledger.decisions(ROLLOUT)).map(({ reason }) => reason);
    expect(reasons).toEqual(['number 1', 'number 9', 'number 10']);
  });

  it('keeps the newer of two states, whichever comes last', async () => {
    const later = status({ decisions: [decision(), decision({ at: FIRST + 5, action: 'pause' })], state: 'paused' });
    await ledger.saveStatus(later);
    await ledger.saveStatus(status());
    expect(await ledger.lastStatus(ROUTE)).toEqual(later);

    const { weights, mirror, upstreams } = split();
    const nextSplit = status({ split: { generation: 2, weights, mirror, upstreams } });
    await ledger.saveStatus(nextSplit);
    await ledger.saveStatus(later);
    expect(await ledger.lastStatus(ROUTE)).toEqual(nextSplit);

    const lease = status({ split: nextSplit.split, evidence: 'no-traffic' });
    await ledger.saveStatus(lease);
    expect(await ledger.lastStatus(ROUTE)).toEqual(lease);

    const ended = endedStatus(FIRST + 9);
    await ledger.saveStatus(ended);
    await ledger.saveStatus(lease);
    expect(await ledger.lastStatus(ROUTE)).toEqual(ended);
  });

  it('says nothing of a rollout that has just been opened, rather than something of the one before', async () => {
    expect(await ledger.lastStatus(ROUTE)).toBeNull();
    await ledger.openRollout(rolloutRow());
    await ledger.saveStatus(endedStatus(FIRST + HOUR));
    const next = laterRollout(2);
    await ledger.openRollout(rolloutRow(next));
    expect(await ledger.lastStatus(ROUTE)).toBeNull();
    expect(await ledger.lastStatuses()).toEqual([]);
    await ledger.saveStatus(status({ rollout: next.rollout }));
    expect(await ledger.lastStatus(ROUTE)).toMatchObject({ rollout: next.rollout });
  });

  it('has a last state of a rollout that failed before it was opened', async () => {
    const failed = endedStatus(FIRST, { state: 'failed' });
    await ledger.saveStatus(failed);
    const other = status({ route: OTHER, rollout: OTHER_ROLLOUT });
    await ledger.saveStatus(other);
    expect(await ledger.lastStatuses()).toEqual([other, failed]);
  });

  it('keeps the route row of the highest generation, whoever writes last', async () => {
    expect(await ledger.routeRow(ROUTE)).toBeNull();
    await ledger.putRouteRow(routeRow(7, 'llama-32'));
    await ledger.putRouteRow(routeRow(6, 'llama-31'));
    await ledger.putRouteRow(routeRow(7, 'llama-33'));
    expect(await ledger.routeRow(ROUTE)).toEqual(routeRow(7, 'llama-32'));
    const second = await database.open();
    await Promise.all(
      [9, 8, 12, 10, 11].map((generation, turn) =>
        (turn % 2 === 0 ? ledger : second).putRouteRow(routeRow(generation, `model-${generation}`)),
      ),
    );
    const search = { ...routeRow(1, 'llama-31'), route: OTHER };
    await ledger.putRouteRow(search);
    expect(await ledger.routeRows()).toEqual([search, routeRow(12, 'model-12')]);
  });

  describe('expire', () => {
    const fill = async (rollout = ROLLOUT): Promise<void> => {
      const records = [0, 1, 2].map((step) => record({ rollout, intervalStart: FIRST + step * INTERVAL_MS }));
      const late = [record({ rollout, replica: 'router-2' })];
      const ratings = [rating({ rollout, nonce: `nonce of ${rollout}` })];
      await ledger.commitEvidence({ rollout, records, ratings, closedThrough: FIRST + INTERVAL_MS });
      await ledger.commitEvidence({ rollout, records: late, ratings: [], closedThrough: 0 });
      await ledger.recordLook(look({ id: `${rollout}/look`, rollout }));
      await ledger.recordDecision(rollout, 1, decision());
    };

    it('deletes what ended before, keeps what ended later or runs, and counts a rollout once', async () => {
      const [old, recent, running] = [laterRollout(1), laterRollout(2), laterRollout(3)];
      for (const row of [old, recent, running]) {
        await ledger.openRollout(rolloutRow(row));
        await fill(row.rollout);
      }
      await ledger.saveStatus(endedStatus(FIRST + 1.5 * HOUR, { rollout: old.rollout }));
      await ledger.saveStatus(endedStatus(FIRST + 2.5 * HOUR, { rollout: recent.rollout }));
      await ledger.saveStatus(status({ rollout: running.rollout }));

      expect(await ledger.expire(FIRST + 2.5 * HOUR)).toEqual({ rollouts: 1 });
      expect(await ledger.expire(FIRST + 2.5 * HOUR)).toEqual({ rollouts: 0 });
      for (const { rollout } of [recent, running]) {
        expect(await readAll(ledger, rollout)).toHaveLength(3);
        expect(await ledger.looks(rollout)).toHaveLength(1);
        expect(await ledger.decisions(rollout)).toHaveLength(1);
        expect(await ledger.ratings(rollout, 0, FIRST + HOUR)).toHaveLength(1);
      }
      expect(await ledger.looks(old.rollout)).toEqual([]);
      expect(await ledger.decisions(old.rollout)).toEqual([]);
      await expect(readAll(ledger, old.rollout)).rejects.toThrow(/was deleted after its retention/);
      await expect(fill(old.rollout)).rejects.toMatchObject({ code: 'rollout-unknown' });
      expect(await ledger.rollout(old.rollout)).toMatchObject({ salt: 'salt-1' });
      expect(await ledger.rollouts(ROUTE, 10)).toHaveLength(3);

      expect(await ledger.expire(FIRST + 3 * HOUR)).toEqual({ rollouts: 1 });
      expect(await readAll(ledger, running.rollout)).toHaveLength(3);
    });

    it('takes a rollout without an outcome for ended when the next one of its route began', async () => {
      await ledger.openRollout(rolloutRow());
      await fill();
      await ledger.saveStatus(status());
      expect(await ledger.expire(FIRST + 400 * HOUR)).toEqual({ rollouts: 0 });
      await ledger.openRollout(rolloutRow(laterRollout(5)));
      expect(await ledger.expire(FIRST + 5 * HOUR)).toEqual({ rollouts: 0 });
      expect(await ledger.expire(FIRST + 6 * HOUR)).toEqual({ rollouts: 1 });
      await expect(readAll(ledger)).rejects.toMatchObject({ code: 'rollout-unknown' });
    });

    it('deletes more than a statement holds', async () => {
      await ledger.openRollout(rolloutRow());
      const records = Array.from({ length: 4_500 }, (_, step) => record({ intervalStart: FIRST + step * INTERVAL_MS }));
      await ledger.commitEvidence({ rollout: ROLLOUT, records, ratings: [], closedThrough: 0 });
      await ledger.saveStatus(endedStatus(FIRST));
      expect(await ledger.expire(FIRST + 1)).toEqual({ rollouts: 1 });
    });
  });

  it('keeps every text as it is written', async () => {
    const reason = `quotes ' " \\ , 日本語, \u0000, \u{1f6a6} and ${'long '.repeat(2_000)}`;
    await ledger.recordDecision(ROLLOUT, 1, decision({ reason, stage: stageName('flip') }));
    expect(await ledger.decisions(ROLLOUT)).toEqual([decision({ reason, stage: stageName('flip') })]);
  });

  it('answers a ping', async () => {
    await expect(ledger.ping()).resolves.toBeUndefined();
  });
});

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { intervalEnd } from '../../src/evidence/record.js';
import type { EvidenceRecord } from '../../src/evidence/record.js';
import { evidenceRecord, FIRST, INTERVAL_MS, record, ROLLOUT } from '../evidence/records.js';
import { laterRollout, readAll, rolloutRow } from './rows.js';
import { DATABASES } from './databases.js';

describe.each(DATABASES)('evidence on $kind', ({ create }) => {
  it('comes in canonical order, whatever the order of its arrival and the language of the database', async () => {
    const database = await create();
    const ledger = await database.open();
    let rollouts = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(evidenceRecord, { maxLength: 8 }), { maxLength: 4 }), async (batches) => {
        const opened = laterRollout((rollouts += 1));
        await ledger.openRollout(rolloutRow(opened));
        const { rollout } = opened;
        for (const batch of batches) {
          const records = batch.map((item) => ({ ...item, rollout }));
          await ledger.commitEvidence({ rollout, records, ratings: [], closedThrough: 0 });
        }
        expect(await readAll(ledger, rollout)).toEqual(expectedOf(batches.flat(), opened.rollout));
      }),
      { numRuns: 40 },
    );
    await database.remove();
  });

  it('is cut where it is asked to be: after < end ≤ through', async () => {
    const database = await create();
    const ledger = await database.open();
    await ledger.openRollout(rolloutRow());
    const records = [0, 1, 2, 3].map((step) => record({ intervalStart: FIRST + step * INTERVAL_MS }));
    await ledger.commitEvidence({ rollout: ROLLOUT, records, ratings: [], closedThrough: 0 });
    const ends: number[] = [];
    for await (const batch of ledger.evidence(ROLLOUT, FIRST + INTERVAL_MS, FIRST + 3 * INTERVAL_MS)) {
      ends.push(...batch.map(intervalEnd));
    }
    expect(ends).toEqual([FIRST + 2 * INTERVAL_MS, FIRST + 3 * INTERVAL_MS]);
    await database.remove();
  });

  it('comes in batches that never split an interval end, and hold a large fleet', async () => {
    const database = await create();
    const ledger = await database.open();
    await ledger.openRollout(rolloutRow());
    // Ends of 1, 700 (more than a batch), 2, 499, 3 and 1,200 records.
    const sizes = [1, 700, 2, 499, 3, 1_200];
    for (const [step, size] of sizes.entries()) {
      const records = Array.from({ length: size }, (_, member) =>
        record({ intervalStart: FIRST + step * INTERVAL_MS, replica: `router-${member}` }),
      );
      await ledger.commitEvidence({ rollout: ROLLOUT, records, ratings: [], closedThrough: 0 });
    }
    const seen = new Set<number>();
    const counts = new Map<number, number>();
    for await (const batch of ledger.evidence(ROLLOUT, 0, Number.MAX_SAFE_INTEGER)) {
      const ends = new Set(batch.map(intervalEnd));
      for (const end of ends) expect(seen.has(end)).toBe(false);
      for (const end of ends) seen.add(end);
      for (const item of batch) counts.set(intervalEnd(item), (counts.get(intervalEnd(item)) ?? 0) + 1);
    }
    expect([...counts.values()]).toEqual(sizes);
    await database.remove();
  });

  it('lets other work of the process go on between its batches', async () => {
    const database = await create();
    const ledger = await database.open();
    await ledger.openRollout(rolloutRow());
    const records = Array.from({ length: 1_600 }, (_, step) => record({ intervalStart: FIRST + step * INTERVAL_MS }));
    await ledger.commitEvidence({ rollout: ROLLOUT, records, ratings: [], closedThrough: 0 });
    let turns = 0;
    const others = setInterval(() => (turns += 1), 0);
    const turnsSeen: number[] = [];
    for await (const batch of ledger.evidence(ROLLOUT, 0, Number.MAX_SAFE_INTEGER)) {
      expect(batch.length).toBeGreaterThan(0);
      turnsSeen.push(turns);
    }
    clearInterval(others);
    expect(turnsSeen.length).toBeGreaterThan(2);
    expect(turns).toBeGreaterThan(0);
    await database.remove();
  });
});

/** The contract's order, written out: (end, generation, start, stratum, variant, replica, process); the newest revision of each key. */
function expectedOf(records: readonly EvidenceRecord[], rollout: EvidenceRecord['rollout']): readonly EvidenceRecord[] {
  const newest = new Map<string, EvidenceRecord>();
  for (const item of records) {
    const { generation, stage, intervalStart, stratum, variant, replica, process } = item;
    const key = JSON.stringify([generation, stage, intervalStart, stratum, variant, replica, process]);
    const known = newest.get(key);
    if (known === undefined || item.revision > known.revision) newest.set(key, item);
  }
  const order = (item: EvidenceRecord): readonly (number | string)[] => [
    intervalEnd(item),
    item.generation,
    item.intervalStart,
    item.stratum,
    item.variant,
    item.replica,
    item.process,
    item.stage,
  ];
  return [...newest.values()]
    .map((item) => ({ ...item, rollout }))
    .toSorted((left, right) => {
      const rightOrder = order(right);
      for (const [position, value] of order(left).entries()) {
        const other = rightOrder[position];
        if (other !== undefined && value !== other) return value < other ? -1 : 1;
      }
      return 0;
    });
}

import { appendFile, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { EvidenceRecord, RatingRecord } from '../../src/evidence/record.js';
import { stageName } from '../../src/plan/ids.js';
import type { LogEntry } from '../../src/router/log.js';
import { itemJson, ratingItem, recordItem } from '../../src/router/spool/spool-entry.js';
import { Spool } from '../../src/router/spool/spool.js';
import { FakeClock, START_MS } from './helpers/fake-clock.js';
import { jsonOf, OTHER_ROLLOUT, ROLLOUT, temporaryDirectory } from './helpers/router-fixture.js';

interface Place {
  readonly open: (change?: { maxBytes?: number; maxAgeMs?: number }) => Promise<Spool>;
  readonly directory: string;
  readonly clock: FakeClock;
  readonly log: LogEntry[];
}

async function place(): Promise<Place> {
  const directory = path.join(await temporaryDirectory(), 'spool');
  const clock = new FakeClock();
  const log: LogEntry[] = [];
  let process = 0;
  return {
    directory,
    clock,
    log,
    open: (change) => {
      process += 1;
      return Spool.open({
        directory,
        route: 'support',
        process: `p${process}`,
        maxBytes: 2 ** 30,
        maxAgeMs: 7 * 86_400_000,
        clock,
        log: (entry) => log.push(entry),
        ...change,
      });
    },
  };
}

/** Both sides of the interval `index`, of a few hundred bytes each. */
function interval(index: number): readonly EvidenceRecord[] {
  return (['stable', 'candidate'] as const).map((variant) => ({
    rollout: ROLLOUT,
    generation: 1,
    stage: stageName('shadow'),
    intervalStart: START_MS + index * 1_000,
    stratum: 'paired',
    variant,
    replica: 'replica-1',
    process: 'p',
    revision: 1,
    intervalMs: 1_000,
    warmup: false,
    started: 100,
    completed: 100,
    aborted: 0,
    late: 0,
    dropped: {},
    incomplete: false,
    error: { trials: 100, events: 1 },
    errorsByClass: { model: 1 },
    histograms: {
      latency_p50: {
        gamma: 1.2,
        xMin: 0.001,
        counts: Object.fromEntries(Array.from({ length: 200 }, (_, at) => [at, 1])),
      },
    },
    tokens: { prompt: 1, cached: 0, completion: 1, responses: 100 },
    buckets: {},
  }));
}

const rating = (nonce: string): RatingRecord => ({
  nonce,
  rollout: ROLLOUT,
  generation: 1,
  stratum: 'served',
  variant: 'stable',
  userBucket: null,
  requestStartedAt: START_MS,
  ratedAt: START_MS,
  rating: { kind: 'thumb', up: true },
});

async function held(
  spool: Spool,
  rollout: string = ROLLOUT,
  after = 0,
): Promise<{ records: EvidenceRecord[]; ratings: RatingRecord[] }> {
  const entries = spool.entriesAfter(rollout, after);
  const lines = await spool.lines(entries);
  const of = <T>(kind: string): T[] =>
    entries.flatMap((entry, index) => (entry.kind === kind ? [jsonOf<T>(itemJson(entry, lines[index] ?? ''))] : []));
  return { records: of('record'), ratings: of('rating') };
}

const indexOf = ({ intervalStart }: EvidenceRecord): number => (intervalStart - START_MS) / 1_000;

describe('the spool', () => {
  test('gives back over restarts exactly what was put in, and nothing that was acknowledged', async () => {
    const { open } = await place();
    const first = await open();
    await first.append(interval(0).map(recordItem));
    await first.append([...interval(1).map(recordItem), ratingItem(rating('é'))]);
    await first.close();
    const second = await open();
    expect(await held(second)).toEqual({ records: [...interval(0), ...interval(1)], ratings: [rating('é')] });
    await second.acknowledge(ROLLOUT, 2);
    await second.append(interval(2).map(recordItem));
    await second.close();
    const third = await open();
    expect((await held(third)).records.map(indexOf)).toEqual([1, 1, 2, 2]);
    await third.acknowledge(ROLLOUT, 100);
    await third.close();
    const fourth = await open();
    expect(await held(fourth)).toEqual({ records: [], ratings: [] });
    // Numbers go on, so that no old acknowledgement takes new items with it.
    await fourth.append(interval(3).map(recordItem));
    expect(fourth.entriesAfter(ROLLOUT, 100)).toHaveLength(2);
    await fourth.close();
  });

  test('deletes files that nobody needs any more', async () => {
    const { open, directory } = await place();
    const spool = await open({ maxBytes: 80_000 });
    for (let index = 0; index < 12; index += 1) await spool.append(interval(index).map(recordItem));
    const before = await readdir(directory);
    expect(before.length).toBeGreaterThan(3);
    await spool.acknowledge(ROLLOUT, 24);
    expect((await readdir(directory)).filter((name) => name.endsWith('.jsonl'))).toHaveLength(1);
    await spool.close();
  });

  test('leaves out a line that a crash cut off, says so, and keeps the rest', async () => {
    const { open, directory, log } = await place();
    const first = await open();
    await first.append(interval(0).map(recordItem));
    await first.close();
    const [file] = await readdir(directory);
    await appendFile(path.join(directory, file ?? ''), '{"sequence":3,"kind":"record","item":{"rollout":"support@');
    const second = await open();
    expect((await held(second)).records.map(indexOf)).toEqual([0, 0]);
    expect(log.map(({ event }) => event)).toEqual(['spool-line-broken']);
    await second.append(interval(1).map(recordItem));
    await second.close();
    expect((await held(await open())).records.map(indexOf)).toEqual([0, 0, 1, 1]);
  });

  test('keeps one rollout’s items when another’s are acknowledged', async () => {
    const { open } = await place();
    const spool = await open();
    const theirs = interval(0).map((record) => ({ ...record, rollout: OTHER_ROLLOUT }));
    await spool.append([...interval(0), ...theirs].map(recordItem));
    await spool.acknowledge(OTHER_ROLLOUT, 4);
    await spool.close();
    const next = await open();
    expect((await held(next)).records).toHaveLength(2);
    expect((await held(next, OTHER_ROLLOUT)).records).toHaveLength(0);
    await next.close();
  });

  test('holds items in memory while the disk refuses them, and writes them when it takes them again', async () => {
    const { open, directory, log } = await place();
    const spool = await open();
    await rm(directory, { recursive: true });
    await writeFile(directory, 'in the way');
    await expect(spool.append(interval(0).map(recordItem))).rejects.toThrow(/ENOTDIR/);
    expect((await held(spool)).records).toEqual(interval(0));
    expect(log.map(({ event }) => event)).toEqual(['spool-not-written']);
    await rm(directory);
    await mkdir(directory);
    await spool.append(interval(1).map(recordItem));
    await spool.close();
    expect((await held(await open())).records.map(indexOf)).toEqual([0, 0, 1, 1]);
  });
});

describe('a spool that nobody empties', () => {
  test('never hides a rating from a page while it moves it to another file', async () => {
    const { open } = await place();
    const spool = await open({ maxBytes: 120_000 });
    await spool.append([ratingItem(rating('kept'))]);
    const [first] = spool.entriesAfter(ROLLOUT, 0);
    let filling = true;
    const seen: number[] = [];
    const filled = (async (): Promise<void> => {
      for (let index = 0; index < 60; index += 1) await spool.append(interval(index).map(recordItem));
      filling = false;
    })();
    while (filling) {
      await new Promise((resolve) => setImmediate(resolve));
      seen.push(spool.entriesAfter(ROLLOUT, 0).filter(({ kind }) => kind === 'rating').length);
    }
    await filled;
    expect(seen.length).toBeGreaterThan(60);
    expect(new Set(seen)).toEqual(new Set([1]));
    const [moved] = spool.entriesAfter(ROLLOUT, 0).filter(({ kind }) => kind === 'rating');
    expect(moved?.sequence).toBeGreaterThan(first?.sequence ?? Infinity);
    await spool.close();
  });

  test('drops whole intervals, oldest first and on both sides, and leaves word that they are incomplete', async () => {
    const { open, log } = await place();
    const spool = await open({ maxBytes: 120_000 });
    await spool.append([ratingItem(rating('kept'))]);
    for (let index = 0; index < 60; index += 1) await spool.append(interval(index).map(recordItem));
    const check = async (of: Spool): Promise<void> => {
      const { records, ratings } = await held(of);
      const whole = records.filter(({ revision }) => revision === 1);
      const dropped = records.filter(({ revision }) => revision === 0);
      expect(ratings).toEqual([rating('kept')]);
      expect(dropped.length).toBeGreaterThan(10);
      expect(whole.length).toBeGreaterThan(4);
      expect(Math.max(...dropped.map(indexOf))).toBeLessThan(Math.min(...whole.map(indexOf)));
      // Both sides or none, each exactly once, and none is missing.
      for (const side of ['stable', 'candidate']) {
        const indices = records.filter(({ variant }) => variant === side).map(indexOf);
        expect(indices.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, index) => index));
      }
      for (const record of dropped)
        expect(record).toMatchObject({ incomplete: true, started: 0, error: { trials: 0, events: 0 }, histograms: {} });
    };
    await check(spool);
    expect(spool.heldBytes).toBeLessThan(135_000);
    expect(log.some(({ event }) => event === 'spool-overflow')).toBe(true);
    await spool.close();
    const again = await open({ maxBytes: 120_000 });
    await check(again);
    await again.close();
  });

  test('drops what is older than its limit', async () => {
    const { open, clock } = await place();
    const spool = await open({ maxBytes: 80_000, maxAgeMs: 3_600_000 });
    for (let index = 0; index < 8; index += 1) await spool.append(interval(index).map(recordItem));
    clock.advance(3_700_000);
    await spool.append(interval(3_700).map(recordItem));
    const { records } = await held(spool);
    const whole = records.filter(({ revision }) => revision === 1).map(indexOf);
    expect(whole).toContain(3_700);
    expect(whole).not.toContain(0);
    await spool.close();
  });
});

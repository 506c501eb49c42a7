import { describe, expect, test } from 'vitest';
import type { EvidencePage } from '../../src/evidence/record.js';
import { upstreamName } from '../../src/plan/ids.js';
import { RecentValues } from '../../src/router/meter/recent-values.js';
import { RouteMeter } from '../../src/router/meter/route-meter.js';
import { createUpstream } from '../../src/router/proxy/upstream.js';
import { RouteEvidence } from '../../src/router/route-evidence.js';
import { Spool } from '../../src/router/spool/spool.js';
import { FakeClock, START_MS } from './helpers/fake-clock.js';
import { canarySplit, jsonOf, ROLLOUT, temporaryDirectory } from './helpers/router-fixture.js';

describe('pages', () => {
  test('are small enough, come in order, and claim no interval that is still to come', async () => {
    const clock = new FakeClock();
    const log = (): void => undefined;
    const shared = { route: 'support', process: 'p1', clock, log };
    const directory = await temporaryDirectory();
    const spool = await Spool.open({ ...shared, directory, maxBytes: 2 ** 30, maxAgeMs: 2 ** 40 });
    const meter = new RouteMeter('replica-1', 'p1');
    const split = canarySplit();
    const generation = meter.begin(split, START_MS);
    const name = upstreamName('old');
    const stable = createUpstream({ name, baseUrl: 'http://127.0.0.1:1/v1', model: 'm', key: null, headers: {} });
    const active = { split, stable, candidate: stable, activatedAtMs: START_MS, lease: null, meter: generation };
    const control = { active, inForce: true, noteExpiry: () => Promise.resolve() };
    const evidence = new RouteEvidence({ ...shared, replica: 'replica-1', control, meter, spool, pageBytes: 1_500 });
    for (let index = 0; index < 10; index += 1) {
      const start = {
        stratum: 'served',
        mark: null,
        sampleHash: null,
        startedWallMs: clock.wallMs(),
        startedMonotonicMs: 0,
      } as const;
      for (const variant of ['stable', 'candidate'] as const) {
        const facts = null;
        generation
          ?.begin({ ...start, variant })
          .finish({ end: 'complete', errorClass: null, status: 200, latencyMs: 1, ttftMs: null, facts });
      }
      clock.advance(1_000);
    }
    const seen: number[] = [];
    let cursor: string | null = null;
    let pages = 0;
    for (let more = true; more; pages += 1) {
      const page: EvidencePage = jsonOf(await evidence.page(ROLLOUT, cursor));
      seen.push(...page.records.map(({ intervalStart }) => (intervalStart - START_MS) / 1_000));
      // Everything that a page claims has come by then.
      const claimed = Math.floor((page.closedThrough - START_MS) / 1_000);
      expect(seen.filter((index) => index < claimed)).toHaveLength(2 * claimed);
      ({ cursor, more } = page);
    }
    expect(pages).toBeGreaterThan(3);
    expect(seen).toEqual(Array.from({ length: 20 }, (_, index) => Math.floor(index / 2)));
    const last: EvidencePage = jsonOf(await evidence.page(ROLLOUT, cursor));
    expect(last).toMatchObject({ records: [], more: false, closedThrough: START_MS + 10_000 });
    await spool.close();
  });
});

describe('the last values of stable', () => {
  test('are at most 4,096, the newest last', () => {
    const values = new RecentValues();
    for (let value = 1; value <= 5_000; value += 1) values.add(value, value % 2 === 0 ? value / 10 : null);
    const { latencyMs, ttftMs } = values.view();
    expect([latencyMs.length, latencyMs[0], latencyMs.at(-1)]).toEqual([4_096, 905, 5_000]);
    expect([ttftMs.length, ttftMs.at(-1)]).toEqual([2_500, 500]);
    expect(values.latencyP99Ms()).toBe(905 + Math.ceil(4_096 * 0.99) - 1);
    expect(new RecentValues().latencyP99Ms()).toBeNull();
  });
});

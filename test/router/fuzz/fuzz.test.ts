import { Pool } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { routeName, upstreamName } from '../../../src/plan/ids.js';
import type { LogEntry } from '../../../src/router/log.js';
import { startRouter } from '../../../src/router/router.js';
import { allOn, putSplit, temporaryDirectory, testConfig, TOKEN } from '../helpers/router-fixture.js';
import { startEchoUpstream } from './echo-upstream.js';
import { sendGood, sendMutant } from './lanes.js';
import { Random } from './random.js';
import { ADMIN_SEEDS, PUBLIC_SEEDS } from './requests.js';

/** Few and the same by default; `npm run fuzz` gives more and others, and says which seed it took. */
const ASKED = process.env['SLUICE_FUZZ_SECONDS'];
const SECONDS = Number(ASKED ?? 2);
const SEED = Number(process.env['SLUICE_FUZZ_SEED'] ?? (ASKED === undefined ? 1 : Date.now() % 1_000_000_000));
/** One case alone, again. */
const CASE = process.env['SLUICE_FUZZ_CASE'];
const LANES = 4;

test(
  'no bytes crash or hang the router, or let one request see another',
  async () => {
    const upstream = await startEchoUpstream();
    onTestFinished(() => upstream.close());
    const log: LogEntry[] = [];
    const base = testConfig({ old: upstream.url, new: upstream.url });
    const steady = routeName('steady');
    const router = await startRouter({
      config: {
        ...base,
        routes: new Map([...base.routes, [steady, { name: steady, stable: upstreamName('old'), unitHeader: null }]]),
        limits: { headerBytes: 4_096, bodyBytes: 100_000, headersTimeoutMs: 1_000, bodyTimeoutMs: 2_000 },
      },
      env: { SLUICE_ADMIN_TOKEN: TOKEN },
      replica: 'fuzzed',
      stateDirectory: await temporaryDirectory(),
      log: (entry) => log.push(entry),
      limits: { drainGraceMs: 0 },
    });
    onTestFinished(() => router.close());
    await putSplit(router, allOn('candidate', { mirror: { variant: 'stable', share: 0.2 } }));
    const pool = new Pool(router.publicUrl, { connections: 8 });
    onTestFinished(() => pool.destroy());

    const faults: string[] = [];
    const endAtMs = performance.now() + SECONDS * 1000;
    let cases = 0;
    let good = 0;
    const goesOn = (): boolean => performance.now() < endAtMs && faults.length === 0;
    const mutants = async (): Promise<void> => {
      while (goesOn()) {
        const number = CASE === undefined ? cases : Number(CASE);
        cases += 1;
        const random = new Random(SEED, number);
        const isAdmin = random.chance(0.25);
        const fault = await sendMutant(
          isAdmin ? router.adminUrl : router.publicUrl,
          isAdmin ? ADMIN_SEEDS : PUBLIC_SEEDS,
          random,
        );
        if (fault !== null) faults.push(`case ${number}: ${fault}`);
      }
    };
    const goods = async (): Promise<void> => {
      while (goesOn()) {
        const fault = await sendGood(pool, new Random(SEED, -good));
        if (fault !== null) faults.push(fault);
        good += 1;
      }
    };
    await Promise.all([...Array.from({ length: LANES }, mutants), goods(), goods()]);
    process.stderr.write(`fuzz: seed ${SEED}, ${cases} mutants, ${good} good requests in ${SECONDS} s\n`);

    const said = log.filter(({ level }) => level === 'error').map(({ event, message }) => `${event}: ${message}`);
    expect([...faults, ...upstream.faults, ...said], `npm run fuzz -- --seed ${SEED}`).toEqual([]);
    expect(good).toBeGreaterThan(0);
    await pool.close();
    // Comes to its end only when nothing is under way any more.
    await router.drain();
  },
  (SECONDS + 60) * 1000,
);

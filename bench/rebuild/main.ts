import { mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { openLedger } from '../../src/ledger/open-ledger.js';
import { routeName } from '../../src/plan/ids.js';
import { machine } from '../statistics/report/machine.js';
import { fillLedger, lookAt, rebuild } from './measure.js';
import { goalsOf, rebuildPage } from './page.js';
import type { Measured } from './page.js';
import { BEGIN, ROLLOUT, WeekEvidence } from './week-evidence.js';
import { INTERVALS, weekPlan } from './week-plan.js';

const USAGE = `npm run bench:rebuild -- [--intervals N] [--out DIR]

Fills a ledger (SQLite) with a stage of seven days at 10 s intervals, builds its verdicts again from nothing, and
measures single looks when the stage is an hour, a day and seven days old. Exits 1 when a goal is missed.

  --intervals N   fewer, to try it; then nothing is claimed and nothing written
  --out DIR       where to write; default docs/evidence
`;

/** Looks at each age. */
const LOOKS = 200;
/** An hour, a day, a week, in intervals. */
const AGES = [360, 8640, INTERVALS - LOOKS];

const { values } = parseArgs({
  options: {
    intervals: { type: 'string', default: String(INTERVALS) },
    out: { type: 'string', default: 'docs/evidence' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) process.stdout.write(USAGE);
else await run(Number(values.intervals), resolve(values.out));

async function run(intervals: number, out: string): Promise<void> {
  if (!Number.isSafeInteger(intervals) || intervals < 1000) throw new RangeError('--intervals: 1000 or more');
  const directory = mkdtempSync(join(tmpdir(), 'sluice-bench-'));
  try {
    const measured = await measure(join(directory, 'ledger.db'), intervals);
    const goals = goalsOf(measured);
    for (const { claim, reached, bar, passed } of goals) {
      console.log(`${passed ? 'reached' : 'missed'}: ${claim}: ${reached}, bar ${bar}`);
    }
    if (goals.some(({ passed }) => !passed)) process.exitCode = 1;
    if (intervals !== INTERVALS) return;
    mkdirSync(out, { recursive: true });
    const facts = { command: 'npm run bench:rebuild', date: new Date().toISOString().slice(0, 10), machine: machine() };
    writeFileSync(join(out, 'rebuild.md'), rebuildPage(facts, measured, goals));
    console.log(`written: ${join(out, 'rebuild.md')}`);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

async function measure(path: string, intervals: number): Promise<Measured> {
  const plan = weekPlan();
  const evidence = new WeekEvidence(plan);
  const ledger = await openLedger({ sqlitePath: path });
  try {
    const route = routeName('support');
    const row = { rollout: ROLLOUT, route, plan, salt: 'salt', seeds: evidence.seeds, startedAt: BEGIN };
    await ledger.openRollout(row);
    const filling = await fillLedger(ledger, evidence, intervals);
    console.log(`filled with ${2 * intervals} records: ${filling.toFixed(1)} s`);
    const rebuilt = await rebuild(ledger, row, intervals);
    console.log(
      `rebuilt: ${rebuilt.total.toFixed(1)} s, of which reading ${rebuilt.reading.toFixed(1)} s and assessing ` +
        `${rebuilt.assessing.toFixed(1)} s; processor time ${rebuilt.processor.toFixed(1)} s`,
    );
    const ages = AGES.map((age) => Math.min(age, intervals - LOOKS)).filter((age, at, all) => all.indexOf(age) === at);
    const looks = await lookAt(ledger, row, ages, LOOKS);
    return { plan, intervals, filling, rebuilt, looks, ledgerMb: sizeOf(path) };
  } finally {
    await ledger.close();
  }
}

function sizeOf(path: string): number {
  const bytes = [path, `${path}-wal`].map((file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0);
  return bytes.reduce((sum, size) => sum + size, 0) / 1e6;
}

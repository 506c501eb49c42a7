import { createAssessment } from '../../../src/statistics/assessment/assessment.js';
import { addTableProfile } from '../../../src/statistics/table-profile.js';
import type { Table } from '../../../src/statistics/table.js';
import type { Effort } from '../efforts.js';
import { percent } from '../report/format.js';
import { atMost } from '../report/section.js';
import type { Section } from '../report/section.js';
import { ROLLOUT_PLAN } from '../rollout-plan.js';
import { BatchSource } from '../draw-batch.js';
import { Random } from '../sampling/random.js';
import { batchOf } from '../settings.js';
import { AssessedRollouts } from '../simulate-assessment.js';

const GRID_POINTS = 60;
const THETA = Float64Array.from({ length: GRID_POINTS }, (_, i) => -3 + i / 10);
/** Seven days of intervals of 10 s, and the tables of all guardrails and margins in each. */
const INTERVALS = 60_480;
const TABLES_PER_INTERVAL = 14;

const LARGE: Table = { candidateTrials: 50_000, candidateEvents: 600, stableTrials: 950_000, stableEvents: 9500 };
const SMALL: Table = { candidateTrials: 20, candidateEvents: 1, stableTrials: 380, stableEvents: 4 };

/** How long the arithmetic takes, in processor time of this machine. */
export function speed(effort: Effort): Section {
  const large = Math.min(...Array.from({ length: 5 }, () => secondsOf(20, () => addTable(LARGE))));
  const small = Math.min(...Array.from({ length: 5 }, () => secondsOf(2000, () => addTable(SMALL))));
  const replay = replaySeconds(effort.rebuildShare);
  const rebuild = rebuildSeconds(effort.rebuildShare);
  const scaled = effort.rebuildShare < 1 ? `, measured on ${percent(effort.rebuildShare)} of it and scaled` : '';
  return {
    title: 'Speed',
    goals: [
      atMost('one table of 1,000,000 requests on 60 points', large, 0.03, milliseconds),
      atMost('one table of 400 requests on 60 points', small, 0.00005, milliseconds),
      atMost('seven days of intervals of 10 s, 14 tables each', replay, 60, seconds),
      atMost('cold rebuild of an assessment of seven days of intervals of 10 s', rebuild.total, 60, seconds),
      atMost('one look at its end', rebuild.look, 0.1, milliseconds),
    ],
    blocks: [
      {
        kind: 'table',
        header: ['what', 'processor time'],
        rows: [
          ['one table of 1,000,000 requests, 60 grid points', milliseconds(large)],
          ['one table of 400 requests, 60 grid points', milliseconds(small)],
          [`seven days of intervals of 10 s, ${TABLES_PER_INTERVAL} tables each${scaled}`, seconds(replay)],
          [`cold rebuild of an assessment of those days, five guardrails${scaled}`, seconds(rebuild.total)],
          ['one interval more and one look after that', milliseconds(rebuild.look)],
        ],
      },
    ],
  };
}

function addTable(table: Table): void {
  addTableProfile(new Float64Array(GRID_POINTS), THETA, table);
}

/** Processor seconds of one call. */
function secondsOf(calls: number, run: () => void): number {
  const before = process.cpuUsage();
  for (let call = 0; call < calls; call++) run();
  return process.cpuUsage(before).user / 1e6 / calls;
}

function replaySeconds(share: number): number {
  const source = new BatchSource(batchOf(400, 0.25), 0.05, 0.06);
  const random = new Random('replay');
  const profile = new Float64Array(GRID_POINTS);
  const tables = Math.round(INTERVALS * share) * TABLES_PER_INTERVAL;
  const seconds = secondsOf(1, () => {
    for (let table = 0; table < tables; table++) addTableProfile(profile, THETA, source.draw(random));
  });
  return seconds / share;
}

/** Time to absorb all intervals of a stage, and of one absorb with one reading after them. */
function rebuildSeconds(share: number): { readonly total: number; readonly look: number } {
  const simulation = new AssessedRollouts({ errorOdds: 1, slowness: 1 });
  const random = new Random('rebuild');
  const stageIndex = 3;
  const stage = ROLLOUT_PLAN.stages[stageIndex];
  if (!stage) throw new RangeError('the plan has no such stage');
  const begin = Date.parse('2026-11-24T09:00:00.000Z');
  const records = (interval: number) =>
    simulation.interval({ stage, stageIndex, interval, intervalStart: begin + interval * stage.intervalMs }, random);
  const assessment = createAssessment(ROLLOUT_PLAN, simulation.seeds(random));
  const intervals = Math.round(INTERVALS * share);
  let total = 0;
  // In blocks, so that making the records is not measured and they need no memory.
  for (let first = 0; first < intervals; first += 500) {
    const block = Array.from({ length: Math.min(500, intervals - first) }, (_, index) => records(first + index));
    total += secondsOf(1, () => {
      for (const ofInterval of block) assessment.absorb(ofInterval);
    });
  }
  const next = Array.from({ length: 20 }, (_, index) => records(intervals + index));
  const look = secondsOf(1, () => {
    for (const ofInterval of next) {
      assessment.absorb(ofInterval);
      assessment.read(stage.name, { promoteFromGeneration: 0 });
    }
  });
  return { total: total / share, look: look / next.length };
}

function milliseconds(value: number): string {
  return value < 0.001 ? `${(1e6 * value).toFixed(0)} µs` : `${(1000 * value).toFixed(1)} ms`;
}

function seconds(value: number): string {
  return `${value.toFixed(1)} s`;
}

import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { FULL, SHORT } from './efforts.js';
import type { Effort } from './efforts.js';
import { machine } from './report/machine.js';
import { evidencePage } from './report/markdown.js';
import type { Goal, Section } from './report/section.js';
import { detection, simulateDetections } from './sections/detection.js';
import { falseAlarms } from './sections/false-alarms.js';
import { latency, simulateLatencyDetections } from './sections/latency.js';
import { planner } from './sections/planner.js';
import { drift, sticky } from './sections/robustness.js';
import { rollouts } from './sections/rollouts.js';
import { speed } from './sections/speed.js';

const USAGE = `npm run bench:statistics -- [--full] [--out DIR]

Simulates false rollbacks under peeking, requests until detection and harm, for sluice and for its peers, from fixed
seeds, and writes tables and plots. Exits 1 when a goal is missed.

  --full      10,000 runs of each null instead of a thousand: about half an hour
  --out DIR   where to write; default docs/evidence
`;

const { values } = parseArgs({
  options: {
    full: { type: 'boolean', default: false },
    out: { type: 'string', default: 'docs/evidence' },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  process.stdout.write(USAGE);
} else {
  const goals = runAll(values.full ? FULL : SHORT, resolve(values.out));
  const missed = goals.filter(({ passed }) => !passed);
  for (const { claim, reached, bar } of missed) console.log(`missed: ${claim}: ${reached}, bar ${bar}`);
  console.log(`bench:statistics: ${goals.length - missed.length} goals reached, ${missed.length} missed`);
  if (missed.length > 0) process.exitCode = 1;
}

function runAll(effort: Effort, directory: string): readonly Goal[] {
  const alarms = timed('false rollbacks under peeking', () => falseAlarms(effort));
  const detections = timed('requests until detection', () => simulateDetections(effort));
  const latencies = timed('latency, slower candidates', () => simulateLatencyDetections(effort));
  const sections: Section[] = [
    alarms.section,
    detection(effort, detections, alarms.worst),
    timed('latency at its limit', () => latency(effort, latencies)),
    timed('whole rollouts', () => rollouts(effort)),
    timed('a ramp with drift', () => drift(effort)),
    timed('sticky users', () => sticky(effort)),
    timed('forecast and promotion', () => planner(effort, detections, latencies)),
    timed('speed', () => speed(effort)),
  ];
  write(directory, effort, sections);
  return sections.flatMap((section) => section.goals);
}

function write(directory: string, effort: Effort, sections: readonly Section[]): void {
  mkdirSync(directory, { recursive: true });
  const page = evidencePage(
    {
      command: `npm run bench:statistics${effort.name === 'full' ? ' -- --full' : ''}`,
      date: new Date().toISOString().slice(0, 10),
      machine: machine(),
      effort: effort.name,
    },
    sections,
  );
  writeFileSync(join(directory, 'statistics.md'), page);
  for (const block of sections.flatMap(({ blocks }) => blocks)) {
    if (block.kind === 'plot') writeFileSync(join(directory, block.file), block.svg);
  }
  console.log(`written: ${join(directory, 'statistics.md')}`);
}

function timed<Result>(what: string, run: () => Result): Result {
  const started = performance.now();
  const result = run();
  console.log(`${what}: ${((performance.now() - started) / 1000).toFixed(1)} s`);
  return result;
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Analysis } from '../../src/cli/analyze/analyze-lines.js';
import { FILE_SALT } from '../../src/cli/analyze/fold-requests.js';
import { readPlanOffline } from '../../src/cli/offline-plan.js';
import type { EvidenceRecord, Histogram, UserBuckets } from '../../src/evidence/record.js';
import type { GuardrailName, Plan, Variant } from '../../src/plan/types.js';
import { loadHash, markUnit, sampleHash } from '../../src/router/choice.js';
import { createAssessment } from '../../src/statistics/assessment/assessment.js';
import { bucketIndex } from '../../src/statistics/histogram.js';
import { evidenceRecord } from '../helpers/evidence-record.js';
import { Random } from '../statistics/assessment/random.js';
import { HEALTHY, START_MS, generateLines, writeLines } from './generate-lines.js';
import { runCommand } from './run-command.js';

const STAGES = `
  - { kind: shadow, share: 100%, for: 30s, interval: 1s, warmup: 2s }
  - { kind: canary, share: 5%, for: 30s, interval: 1s, warmup: 2s }
  - { kind: canary, share: 50%, for: 30s, interval: 1s, warmup: 2s }`;

let directory: string;
let planPath: string;
let linesPath: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-analyze-'));
  planPath = join(directory, 'plan.yaml');
  linesPath = join(directory, 'requests.jsonl');
  writePlan();
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function writePlan(more = ''): void {
  writeFileSync(planPath, `route: support\ncandidate: llama-32\nstages:${STAGES}\n${more}\n`);
}

function rampLines(candidate = HEALTHY, perStage = 3000): string[] {
  const shares = { shadow: 0.5, 'canary-5': 0.05, 'canary-50': 0.5 };
  return generateLines({
    stages: Object.entries(shares).map(([stage, candidateShare]) => ({
      stage,
      lines: perStage,
      candidateShare,
      ...(stage === 'shadow' ? {} : { candidate }),
    })),
  });
}

const analysisSchema = z.custom<Analysis>(
  (value) => typeof value === 'object' && value !== null && 'action' in value && 'guardrails' in value,
);

async function analyze(...flags: string[]): Promise<{ readonly exitCode: number; readonly analysis: Analysis }> {
  const { exitCode, printed, noted } = await runCommand(['analyze', '--plan', planPath, '--json', ...flags, linesPath]);
  if (printed === '') throw new Error(noted);
  return { exitCode, analysis: analysisSchema.parse(JSON.parse(printed)) };
}

const lineSchema = z.object({
  at: z.string(),
  stage: z.string(),
  variant: z.enum(['stable', 'candidate']),
  unit: z.string(),
  latencyMs: z.number(),
  error: z.string().nullable(),
});

/** Guardrails of which `recordsByHand` sums nothing. */
const NOT_BY_HAND = [
  'ttft_p50',
  'ttft_p95',
  'cache_hit_rate',
  'feedback',
  'refusal_rate',
  'abort_rate',
  'response_rate',
  'tokens_per_response',
] as const satisfies readonly GuardrailName[];

type Line = z.output<typeof lineSchema>;

const hash = await loadHash();

/** Each user's share of the errors, for the design effect. */
function errorsByUser(requests: readonly Line[]): UserBuckets {
  const trials: Record<string, number> = {};
  const events: Record<string, number> = {};
  for (const { unit, error } of requests) {
    const { bucket } = markUnit(hash, unit);
    trials[bucket] = (trials[bucket] ?? 0) + 1;
    if (error !== null) events[bucket] = (events[bucket] ?? 0) + 1;
  }
  return { trials, events };
}

/** The hashes of units that `seen` does not hold yet; fewer than a sketch holds. */
function newUnits(requests: readonly Line[], seen: Set<string>): readonly string[] {
  const before = new Set(seen);
  for (const { unit } of requests) seen.add(unit);
  return [...seen]
    .filter((unit) => !before.has(unit))
    .map((unit) => sampleHash(hash, FILE_SALT, unit).toString(16).padStart(16, '0'));
}

/** The evidence of lines, summed by hand: what decides about errors, latencies and the split, nothing else. */
function recordsByHand(plan: Plan, lines: readonly string[]): readonly EvidenceRecord[][] {
  const assigned = new Map<string, Set<string>>();
  const places = new Map<string, Line[]>();
  const begins = new Map<string, number>();
  for (const text of lines) {
    const line = lineSchema.parse(JSON.parse(text));
    const second = Math.floor(Date.parse(line.at) / 1000) * 1000;
    if (!begins.has(line.stage)) begins.set(line.stage, Date.parse(line.at));
    const key = `${second} ${line.stage} ${line.variant}`;
    places.set(key, [...(places.get(key) ?? []), line]);
  }
  const byEnd = new Map<number, EvidenceRecord[]>();
  for (const [key, requests] of places) {
    const [second = '', stageText = '', variantText = ''] = key.split(' ');
    const variant: Variant = variantText === 'candidate' ? 'candidate' : 'stable';
    const index = plan.stages.findIndex(({ name }) => name === stageText);
    const stage = plan.stages[index];
    if (stage === undefined) throw new Error(`no stage ${stageText}`);
    const histograms: Record<string, Histogram> = {};
    for (const guardrail of plan.guardrails) {
      if (guardrail.kind !== 'quantile') continue;
      const { gamma, xMin } = guardrail.histogram;
      const counts: Record<string, number> = {};
      for (const { latencyMs } of requests) {
        const bucket = bucketIndex(latencyMs, { gamma, smallest: xMin });
        counts[bucket] = (counts[bucket] ?? 0) + 1;
      }
      histograms[guardrail.name] = { gamma, xMin, counts };
    }
    const intervalStart = Number(second);
    const seen = assigned.get(`${stageText} ${variant}`) ?? new Set();
    assigned.set(`${stageText} ${variant}`, seen);
    const record = evidenceRecord({
      stage: stage.name,
      generation: index + 1,
      intervalStart,
      stratum: stage.kind === 'shadow' ? 'paired' : 'served',
      variant,
      warmup: intervalStart < (begins.get(stageText) ?? 0) + stage.warmupMs,
      started: requests.length,
      completed: requests.length,
      error: { trials: requests.length, events: requests.filter(({ error }) => error !== null).length },
      histograms,
      buckets: { error_rate: errorsByUser(requests) },
      ...(stage.kind === 'shadow' ? {} : { assigned: { units: newUnits(requests, seen), alone: 0 } }),
    });
    byEnd.set(intervalStart, [...(byEnd.get(intervalStart) ?? []), record]);
  }
  return [...byEnd].toSorted(([left], [right]) => left - right).map(([, records]) => records);
}

describe('sluice analyze', () => {
  it.each([
    ['healthy', HEALTHY, 'none', 0],
    ['with more errors', { ...HEALTHY, errorRate: 0.2 }, 'rollback', 3],
    ['slower', { ...HEALTHY, medianMs: 800 }, 'rollback', 3],
  ])(
    'says of a candidate that is %s what the assessment says of the same requests',
    async (_, candidate, action, exit) => {
      const lines = rampLines(candidate);
      writeLines(linesPath, lines);
      writePlan(`guardrails: { ${NOT_BY_HAND.map((name) => `${name}: off`).join(', ')} }`);
      const { exitCode, analysis } = await analyze();
      const plan = readPlanOffline(planPath);
      const assessment = createAssessment(plan, {});
      for (const records of recordsByHand(plan, lines)) assessment.absorb(records);

      const readings = plan.stages.map(({ name }) => assessment.read(name, { promoteFromGeneration: 0 }));
      expect(analysis.guardrails).toEqual(readings.at(-1)?.guardrails);
      expect(analysis.stages.map(({ stage, requests, promote }) => ({ stage, requests, promote }))).toEqual(
        readings.map(({ stage, requests, promote }) => ({ stage, requests, promote })),
      );
      expect(analysis.action).toBe(action);
      expect(exitCode).toBe(exit);
      const crossing = assessment.crossings.rollback;
      expect(analysis.firstBreach).toEqual(
        crossing && {
          guardrail: crossing.guardrails[0],
          stage: crossing.stage,
          at: new Date(crossing.intervalEnd).toISOString(),
          requests: crossing.requests,
        },
      );
    },
  );

  it('tells when each stage began and ended', async () => {
    writeLines(linesPath, rampLines());
    const { analysis } = await analyze();
    expect(analysis.stages.map(({ stage, from, to }) => [stage, from, to])).toEqual([
      ['shadow', '2026-11-24T09:00:00.000Z', '2026-11-24T09:00:29.990Z'],
      ['canary-5', '2026-11-24T09:00:30.000Z', '2026-11-24T09:00:59.990Z'],
      ['canary-50', '2026-11-24T09:01:00.000Z', '2026-11-24T09:01:29.990Z'],
    ]);
  });

  it('gives the same digits however lines are shuffled within --reorder', async () => {
    const lines = rampLines({ ...HEALTHY, errorRate: 0.1 });
    writeLines(linesPath, lines);
    const { analysis } = await analyze();
    const random = new Random(7);
    const shuffled = lines
      .map((line, index) => ({ line, place: index + 400 * random.uniform() }))
      .toSorted((left, right) => left.place - right.place)
      .map(({ line }) => line);
    writeLines(linesPath, shuffled);
    expect(shuffled).not.toEqual(lines);
    expect((await analyze('--reorder', '4s')).analysis).toEqual(analysis);
  });

  it('refuses a line older than --reorder, naming it', async () => {
    const lines = rampLines();
    writeLines(linesPath, [...lines.slice(0, 500), ...lines.slice(600, 1200), ...lines.slice(500, 600)]);
    const { exitCode, noted } = await runCommand(['analyze', '--plan', planPath, '--reorder', '5s', linesPath]);
    expect(exitCode).toBe(1);
    expect(noted).toContain('line 1101: at is 2026-11-24T09:00:05.000Z, older than');
  });

  it('holds where a guardrail says hold, and goes on where it says flag', async () => {
    writeLines(linesPath, rampLines({ ...HEALTHY, errorRate: 0.2 }));
    writePlan('guardrails: { error_rate: { action: hold } }');
    expect(await analyze()).toMatchObject({ exitCode: 4, analysis: { action: 'hold' } });
    writePlan('guardrails: { error_rate: { action: flag } }');
    expect(await analyze()).toMatchObject({ exitCode: 0, analysis: { action: 'flag' } });
  });

  it('holds where units are not assigned as the plan says, or are on both variants', async () => {
    const linesOf = (candidateShare: number) =>
      generateLines({ stages: [{ stage: 'canary-5', lines: 3000, candidateShare }], units: 3000 });
    writePlan('guardrails: { error_rate: off, latency_p50: off, latency_p95: off, ttft_p50: off, ttft_p95: off }');
    writeLines(linesPath, linesOf(0.05));
    expect((await analyze()).analysis.action).toBe('none');

    writeLines(linesPath, linesOf(0.15));
    const wrong = await analyze();
    expect(wrong).toMatchObject({
      exitCode: 4,
      analysis: { action: 'hold', firstBreach: { guardrail: 'sample_ratio' } },
    });
    expect(wrong.analysis.guardrails.sample_ratio?.why).toMatch(
      /assignments 1\d% to the candidate for a split of 5%: [\d,]+ units; e-value \S+ of 1,000$/,
    );

    const [first = '', ...rest] = linesOf(0.05);
    const other = first.includes('"stable"')
      ? first.replace('"stable"', '"candidate"')
      : first.replace('"candidate"', '"stable"');
    writeLines(linesPath, [first, other, ...rest]);
    const both = await analyze();
    expect(both).toMatchObject({ exitCode: 4, analysis: { firstBreach: { guardrail: 'sample_ratio' } } });
    expect(both.analysis.guardrails.sample_ratio?.why).toContain('1 unit seen on both variants');
  });

  it('asks for no latency when the plan compares none', async () => {
    const lines = rampLines().map((line) => line.replace(/"latencyMs":\d+,/, ''));
    writeLines(linesPath, lines);
    await expect(analyze()).rejects.toThrow('line 1: latencyMs is missing');
    writePlan('guardrails: { latency_p50: off, latency_p95: off }');
    expect((await analyze()).analysis.guardrails).toHaveProperty('error_rate');
  });

  it('reads any line end, a byte order mark, empty lines and lines across chunks alike', async () => {
    // Some megabytes, so that lines lie across the boundaries of what is read at once.
    const lines = rampLines(HEALTHY, 6000);
    writeLines(linesPath, lines);
    const { analysis } = await analyze();
    writeFileSync(linesPath, `\uFEFF${lines.join('\r\n\r\n')}`);
    expect((await analyze()).analysis).toEqual(analysis);
  });

  it('names the line of a stage that the plan does not have', async () => {
    writeLines(
      linesPath,
      rampLines().map((line, index) => (index === 41 ? line.replace('shadow', 'shade') : line)),
    );
    const { exitCode, noted } = await runCommand(['analyze', '--plan', planPath, linesPath]);
    expect(exitCode).toBe(1);
    expect(noted).toBe('sluice: line 42: stage is "shade", not one of shadow, canary-5, canary-50');
  });

  it('refuses a file without lines, and one that is not there', async () => {
    writeLines(linesPath, []);
    await expect(analyze()).rejects.toThrow('has no lines');
    rmSync(linesPath);
    await expect(analyze()).rejects.toThrow('cannot be read');
  });

  it('tells people in a few lines', async () => {
    writeLines(linesPath, rampLines({ ...HEALTHY, errorRate: 0.3 }));
    const { printed } = await runCommand(['analyze', '--plan', planPath, linesPath]);
    const [headline, ...rest] = printed.split('\n');
    expect(headline).toMatch(
      /^rollback {2}error_rate is breached in canary-5 at 2026-11-24T09:00:\d\d\.000Z, after \d/,
    );
    expect(rest.filter((line) => line.includes(' … '))).toHaveLength(3);
    expect(rest.find((line) => line.includes('error_rate  '))).toContain('breached');
  });

  it('starts its clock at START_MS, so that the times above are those of the lines', () => {
    expect(new Date(START_MS).toISOString()).toBe('2026-11-24T09:00:00.000Z');
  });
});

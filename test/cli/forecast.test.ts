import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { parseBaselines } from '../../src/cli/forecast/baseline-flag.js';
import { MeasuredStable } from '../../src/cli/forecast/measured-stable.js';
import { forecastBeforeStart } from '../../src/cli/forecast/forecast-before-start.js';
import { forecastPlan } from '../../src/plan/forecast/forecast-plan.js';
import type { Forecast } from '../../src/plan/forecast/forecast.js';
import type { RatingRecord } from '../../src/evidence/record.js';
import { evidenceRecord } from '../helpers/evidence-record.js';
import { planWith } from '../plan/context.js';
import { fivePlan } from '../statistics/assessment/plan-fixture.js';
import { HEALTHY, generateLines, writeLines } from './generate-lines.js';
import { simulatedLedger } from './ledger-fixture.js';
import { runCommand } from './run-command.js';

let directory: string;
let planPath: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-forecast-'));
  planPath = join(directory, 'plan.yaml');
  writeFileSync(planPath, 'route: support\ncandidate: llama-32\nstages: five-week\n');
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const forecastSchema = z.custom<Forecast>(
  (value) => typeof value === 'object' && value !== null && 'stages' in value && 'requestsPerSecond' in value,
);

async function forecast(...flags: string[]): Promise<Forecast> {
  const { printed, noted } = await runCommand(['forecast', planPath, '--json', ...flags], { cwd: directory });
  if (printed === '') throw new Error(noted);
  return forecastSchema.parse(JSON.parse(printed));
}

describe('sluice forecast', () => {
  it('tells people of each stage when it may be left, what it sees and what that costs', async () => {
    const { exitCode, printed } = await runCommand(['forecast', planPath, '--rate', '10/s']);
    expect(exitCode).toBe(0);
    const lines = printed.split('\n');
    expect(lines[0]).toBe(
      'support at 10 requests/s: 35d in 5 stages; a candidate that changes nothing is rolled back with a chance of at most 5%',
    );
    expect(lines[1]).toContain('error_rate 1% (assumed)');
    expect(lines).toContainEqual(
      expect.stringMatching(/^canary-5 7d: promote after about \d+h \d+m \(error_rate is the slowest gate\)$/),
    );
    // In shadow nobody waits for the candidate: the extra errors stand in brackets.
    expect(lines.filter((line) => /^ {2}error_rate .*· \(\d+\)/.test(line))).toHaveLength(1);
    expect(printed).not.toContain('cannot decide');
    expect(printed).toContain('not shown without --all, since they hold or flag: refusal_rate, ');
    expect(printed).not.toContain('refusal_rate (hold)');
    const all = (await runCommand(['forecast', planPath, '--rate', '10/s', '--all'])).printed;
    expect(all).toContain('refusal_rate (hold)');
    // Nobody rates a mirrored answer; caches are compared from 25% on.
    const rows = (name: string) => all.split('\n').filter((line) => line.startsWith(`  ${name} `)).length;
    expect([rows('error_rate'), rows('feedback'), rows('cache_hit_rate')]).toEqual([5, 3, 2]);
  });

  it('names what a stage cannot decide on a quiet route, and what happens then', async () => {
    const { printed } = await runCommand(['forecast', planPath, '--rate', '50/h']);
    expect(printed).toMatch(/canary-5 cannot decide within 7d: error_rate needs .*; then it advances undecided/);
    expect(printed).toMatch(/canary-50 cannot decide within 14d: .*; then it holds for a person/);
  });

  it('asks for the traffic when nothing tells it', async () => {
    const { exitCode, noted } = await runCommand(['forecast', planPath]);
    expect(exitCode).toBe(2);
    expect(noted).toContain('--rate 10/s');
  });

  it('measures stable in a log', async () => {
    const path = join(directory, 'stable.jsonl');
    const stable = { ...HEALTHY, errorRate: 0.05 };
    writeLines(
      path,
      generateLines({ perSecond: 20, stable, stages: [{ stage: 'any', lines: 4000, candidateShare: 0 }] }),
    );
    const { requestsPerSecond, baselines } = await forecast('--from', path);
    // The log has 4,000 requests in 200 s; its span is told in whole intervals of a minute.
    expect(requestsPerSecond).toBeGreaterThan(16);
    expect(requestsPerSecond).toBeLessThan(20.1);
    expect(baselines.error_rate).toMatchObject({ origin: 'measured', share: 1 });
    expect(baselines.error_rate?.kind === 'rate' && baselines.error_rate.rate).toBeCloseTo(0.05, 2);
    expect(baselines.latency_p95).toMatchObject({ kind: 'values', origin: 'measured', spread: { kind: 'histogram' } });
    // A narrower spread than the assumed one makes latencies quicker to tell apart.
    const assumed = await forecast('--rate', '10/s');
    const measured = await forecast('--from', path, '--rate', '10/s');
    const gate = (of: Forecast) => of.stages[1]?.gates.find(({ gate: name }) => name === 'latency_p95')?.seconds ?? 0;
    expect(gate(measured)).toBeLessThan(gate(assumed));
  });

  it('takes no traffic from a log that has copies in it, and nothing from one without stable', async () => {
    const path = join(directory, 'both.jsonl');
    writeLines(path, generateLines({ stages: [{ stage: 'any', lines: 1000, candidateShare: 0.5 }] }));
    await expect(forecast('--from', path)).rejects.toThrow('--rate 10/s');
    expect((await forecast('--from', path, '--rate', '5/s')).requestsPerSecond).toBe(5);
    writeLines(path, generateLines({ stages: [{ stage: 'any', lines: 10, candidateShare: 1 }] }));
    await expect(forecast('--from', path)).rejects.toThrow('no requests of stable');
  });

  it('measures stable in the ledger, where requests mirrored to the candidate are no traffic of the route', async () => {
    const { ledger } = await simulatedLedger(
      directory,
      fivePlan(),
      [
        { stage: 'shadow', seconds: 60 },
        { stage: 'canary-50', seconds: 60 },
      ],
      { errorRate: 0.03, medianMs: 400, logSd: 0.5 },
    );
    await ledger.close();
    const { requestsPerSecond, baselines } = await forecast('--from-route');
    expect(requestsPerSecond).toBe(40);
    expect(baselines.error_rate?.kind === 'rate' && baselines.error_rate.rate).toBeCloseTo(0.03, 2);
    expect(await forecast('--from-route', 'support')).toEqual(await forecast('--from-route'));
    await expect(forecast('--from-route', 'sales')).rejects.toThrow('no evidence of route sales');
  });

  it('puts what is said above what is measured', async () => {
    const { baselines } = await forecast('--rate', '10/s', '--baseline', 'error_rate=4%');
    expect(baselines.error_rate).toEqual({ kind: 'rate', rate: 0.04, share: 1, origin: 'given' });
  });

  it('draws rollouts and assesses them, the same from the same seed', async () => {
    writeFileSync(
      planPath,
      'route: support\ncandidate: llama-32\nstages: [{ kind: canary, share: 50%, for: 5m, interval: 5s, warmup: 5s }]\nguardrails: { ttft_p50: off, ttft_p95: off, cache_hit_rate: off }\n',
    );
    const flags = ['--rate', '30/s', '--simulate', '4'];
    const { simulation } = await forecast(...flags);
    expect(simulation).toMatchObject({
      rollouts: 4,
      seed: 1,
      unchanged: { stages: [{ stage: 'canary-50', reached: 4 }] },
    });
    expect((await forecast(...flags)).simulation).toEqual(simulation);
    const { printed, noted } = await runCommand(['forecast', planPath, ...flags, '--seed', '2']);
    expect(printed).toContain('simulated 4 rollouts of each kind (seed 2)');
    expect(noted).toContain('simulated 20 of 20 rollouts');
  });
});

describe('parseBaselines', () => {
  const plan = planWith({});

  it('reads rates, their share of requests, and the spread between two quantiles', () => {
    const baselines = parseBaselines('error_rate=0.2%@50%, latency_p50=400ms, latency_p95=1.2s', plan);
    expect(baselines.error_rate).toEqual({ kind: 'rate', rate: 0.002, share: 0.5, origin: 'given' });
    for (const baseline of [baselines.latency_p50, baselines.latency_p95]) {
      const spread = baseline?.kind === 'values' ? baseline.spread : null;
      // ln 3 over the distance of the quantiles, 1.645 standard deviations.
      expect(spread?.kind === 'lognormal' ? spread.logSd : null).toBeCloseTo(Math.log(3) / 1.644_853_627, 6);
    }
  });

  it('takes the usual share of requests where none is told, and the rated ones for the response rate', () => {
    const baselines = parseBaselines('feedback=20%, cache_hit_rate=40%, refusal_rate=3%', plan);
    expect(baselines.feedback).toMatchObject({ rate: 0.2, share: 0.01 });
    expect(baselines.cache_hit_rate).toMatchObject({ rate: 0.4, share: 0.8 });
    expect(baselines.refusal_rate).toMatchObject({ rate: 0.03, share: 1 });
    const { baselines: assumed } = forecastPlan(plan, {
      requestsPerSecond: 10,
      baselines: parseBaselines('feedback=20%@7%', plan),
    });
    expect(assumed.response_rate).toMatchObject({ rate: 0.07, share: 1, origin: 'given' });
  });

  it('keeps the assumed spread when only one quantile is told', () => {
    expect(parseBaselines('latency_p95=1s', plan)).toEqual({});
  });

  it.each([
    ['errors=1%', '--baseline has "errors=1%": write NAME=VALUE'],
    ['error_rate', '--baseline has "error_rate": write NAME=VALUE'],
    ['error_rate=1', '--baseline error_rate is 1: a share needs a percent sign'],
    ['error_rate=100%', '--baseline error_rate is 100%'],
    ['error_rate=1%@0%', 'has no share of requests'],
    ['latency_p50=fast,latency_p95=1s', '--baseline latency_p50 is fast: not a duration'],
    ['latency_p50=2s,latency_p95=1s', 'a higher quantile is a longer time'],
    ['tokens_per_response=100', 'its spread cannot be told from one value; leave it out'],
    ['sample_ratio=1%', 'needs no baseline; leave it out'],
  ])('refuses %s', (text, problem) => {
    expect(() => parseBaselines(text, plan)).toThrow(problem);
  });
});

describe('forecastBeforeStart', () => {
  const written = { route: 'support', candidate: 'llama-32', stages: 'five-week' };

  async function before(flags: object, answer: boolean | null): Promise<{ notes: string[]; asked: string[] }> {
    const notes: string[] = [];
    const asked: string[] = [];
    await forecastBeforeStart(
      {
        env: {},
        cwd: directory,
        interactive: answer !== null,
        print: () => undefined,
        note: (text) => void notes.push(text),
        redraw: () => undefined,
        confirm: (question) => {
          asked.push(question);
          return Promise.resolve(answer === true);
        },
      },
      written,
      flags,
    );
    return { notes, asked };
  }

  it('tells the forecast and asks nothing when every stage can decide', async () => {
    const { notes, asked } = await before({ rate: 10 }, false);
    expect(notes).toHaveLength(5);
    expect(notes[0]).toMatch(
      /^shadow 7d: promote after about .*; sees ×1\.5: error_rate after \d+m \d+s \(\d+ extra bad events, served to nobody\)/,
    );
    expect(asked).toEqual([]);
  });

  it('asks before a stage that cannot decide, and starts nothing on a no', async () => {
    expect((await before({ rate: 0.01 }, true)).asked).toEqual(['Start all the same?']);
    await expect(before({ rate: 0.01 }, false)).rejects.toMatchObject({ code: 'not-applicable' });
  });

  it('goes on where nobody can answer, unless a decidable plan is required', async () => {
    const { notes, asked } = await before({ rate: 0.01 }, null);
    expect(asked).toEqual([]);
    expect(notes).toContainEqual(expect.stringContaining('canary-5 cannot decide within 7d'));
    await expect(before({ rate: 0.01, requireDecidable: true }, null)).rejects.toThrow('not started: ');
    await expect(before({ requireDecidable: true }, null)).rejects.toThrow('traffic of the route is not known');
    expect((await before({}, null)).notes).toEqual([expect.stringContaining('traffic of the route is not known')]);
  });

  it('goes by the traffic that the ledger has', async () => {
    const { ledger } = await simulatedLedger(directory, fivePlan(), [{ stage: 'shadow', seconds: 30 }]);
    await ledger.close();
    const { notes } = await before({}, null);
    expect(notes).toHaveLength(5);
  });
});

describe('MeasuredStable', () => {
  it('counts ratings of stable as feedback, a score of 1 or 2 as a bad one, and how many answers are rated', () => {
    const measured = new MeasuredStable(planWith({}));
    measured.add(evidenceRecord({ variant: 'stable', error: { trials: 5000, events: 50 } }), true);
    const rate = (variant: 'stable' | 'candidate', rating: RatingRecord['rating'], times: number): void => {
      for (let index = 0; index < times; index++) measured.addRating({ variant, rating });
    };
    rate('stable', { kind: 'thumb', up: true }, 150);
    rate('stable', { kind: 'thumb', up: false }, 30);
    rate('stable', { kind: 'score', score: 2 }, 10);
    rate('stable', { kind: 'score', score: 3 }, 60);
    rate('candidate', { kind: 'thumb', up: false }, 500);
    expect(measured.baselines()).toMatchObject({
      feedback: { kind: 'rate', rate: 40 / 250, share: 250 / 5000, origin: 'measured' },
      response_rate: { kind: 'rate', rate: 250 / 5000, share: 1, origin: 'measured' },
    });
  });

  it('says nothing of ratings where nobody rates', () => {
    const measured = new MeasuredStable(planWith({}));
    measured.add(evidenceRecord({ variant: 'stable', error: { trials: 5000, events: 50 } }), true);
    expect(measured.baselines().feedback).toBeUndefined();
    expect(measured.baselines().response_rate).toBeUndefined();
  });
});

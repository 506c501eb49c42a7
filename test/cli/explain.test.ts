import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { crossingSentence } from '../../src/cli/explain/explanation.js';
import type { Explanation } from '../../src/cli/explain/explanation.js';
import { formatEValue } from '../../src/cli/format.js';
import { whatWouldChange } from '../../src/cli/explain/what-would-change.js';
import type { Crossing, GuardrailStatus, Look } from '../../src/evidence/look.js';
import type { Ledger, RolloutRow } from '../../src/ledger/ledger.js';
import { stageName } from '../../src/plan/ids.js';
import { createAssessment } from '../../src/statistics/assessment/assessment.js';
import { fivePlan, sampleRatio } from '../statistics/assessment/plan-fixture.js';
import { HEALTHY } from '../statistics/assessment/simulate-evidence.js';
import { simulatedLedger } from './ledger-fixture.js';
import { runCommand } from './run-command.js';
import { statusFixture } from './status-fixture.js';

let directory: string;
let ledger: Ledger;
let row: RolloutRow;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-explain-'));
  // Twenty seconds of shadow, ten of 5% in which the candidate fails every fifth request.
  const stages = [
    { stage: 'shadow', seconds: 20 },
    { stage: 'canary-5', seconds: 20, candidate: { ...HEALTHY, errorRate: 0.5 } },
  ];
  ({ ledger, row } = await simulatedLedger(directory, fivePlan(), stages));
});

afterEach(async () => {
  await ledger.close();
  rmSync(directory, { recursive: true, force: true });
});

/** Records a look as the pipeline does, at so many seconds of evidence. */
async function look(stage: string, seconds: number, promoteFromGeneration: number, number: number): Promise<Look> {
  const assessment = createAssessment(row.plan, row.seeds);
  const closedThrough = row.startedAt + 1000 * seconds;
  for await (const records of ledger.evidence(row.rollout, 0, closedThrough)) assessment.absorb(records);
  const taken: Look = {
    ...assessment.read(stageName(stage), { promoteFromGeneration }),
    position: { closedThrough },
    id: `${row.rollout}/${stage}/${number}`,
    rollout: row.rollout,
    at: closedThrough + 500,
    why: 'scheduled',
  };
  await ledger.recordLook(taken);
  return taken;
}

const explanationSchema = z.custom<Explanation>(
  (value) => typeof value === 'object' && value !== null && 'sentences' in value && 'recomputed' in value,
);

async function explained(...flags: string[]): Promise<Explanation & { readonly exitCode: number }> {
  const { exitCode, printed, noted } = await runCommand(['explain', 'support', '--json', ...flags], { cwd: directory });
  if (printed === '') throw new Error(noted);
  return { ...explanationSchema.parse(JSON.parse(printed)), exitCode };
}

describe('sluice explain', () => {
  it('says of the newest look which numbers decide and what would change each verdict', async () => {
    await look('shadow', 15, 1, 1);
    const newest = await look('shadow', 20, 1, 2);
    const { exitCode, printed } = await runCommand(['explain', 'support'], { cwd: directory });
    expect(exitCode).toBe(0);
    const lines = printed.split('\n');
    expect(lines[0]).toMatch(
      /^Look support@2026-11-24T09:00:00Z\/shadow\/2 \(scheduled\) of .* every interval that ended by 2026-11-24T09:00:20\.000Z: in shadow 800 requests of stable and 800 of the candidate\.$/,
    );
    for (const { name } of row.plan.guardrails) {
      const status = newest.guardrails[name];
      expect(lines).toContainEqual(
        `${name} is ${status?.verdict}: ${status?.why}. ${status && whatWouldChange(name, status, row.plan)}`,
      );
    }
    expect(lines.at(-1)).toMatch(/^Promotion waits for error_rate/);
  });

  it('tells the crossing: where, when, after how many requests, and who was named', async () => {
    const { crossings } = await look('canary-5', 40, 2, 1);
    const { sentences } = await explained();
    const at = new Date(crossings.rollback?.intervalEnd ?? 0).toISOString();
    expect(sentences).toContainEqual(
      expect.stringMatching(
        new RegExp(
          `^The rollback guardrails crossed in canary-5 at ${at}, after \\d+ requests of the candidate: together an e-value of .*, where 20 is the bound; error_rate named`,
        ),
      ),
    );
    expect(sentences).toContainEqual(expect.stringMatching(/^error_rate is breached: .*a crossing is final/));
  });

  it('tells a crossing of the sample ratio by its own bound', async () => {
    const split: Crossing = {
      family: 'hold',
      guardrails: ['sample_ratio'],
      named: true,
      stage: stageName('canary-5'),
      intervalEnd: row.startedAt + 30_000,
      logE: Math.log(4_211),
      requests: 1_234,
    };
    const plan = fivePlan({ guardrails: [...fivePlan().guardrails, sampleRatio()] });
    expect(crossingSentence(split, plan)).toBe(
      'sample_ratio crossed in canary-5 at 2026-11-24T09:00:30.000Z, after 1,234 requests of the candidate: ' +
        `an e-value of ${formatEValue(split.logE)}, where ${formatEValue(Math.log(1_000))} is the bound.`,
    );
  });

  it('tells state, hold and gates as the ledger has them last', async () => {
    await look('shadow', 20, 1, 1);
    await ledger.saveStatus({
      ...statusFixture(),
      rollout: row.rollout,
      state: 'held',
      hold: { reason: 'refusal_rate', since: row.startedAt, guardrails: [] },
      evidence: 'no-traffic',
    });
    const { state, gates, sentences } = await explained();
    expect(state).toBe('held');
    expect(gates).toEqual(statusFixture().gates);
    expect(sentences.slice(0, 3)).toEqual([
      `${row.rollout} is held in canary-5, with 5% of the units on the candidate.`,
      'It is held since 2026-11-24T09:00:00.000Z: refusal_rate.',
      'Its evidence is no-traffic: nothing is promoted on it, and nothing rolled back by it.',
    ]);
    expect(sentences.at(-1)).toBe('The time gate is closed: 6d left.');
  });

  it.each([
    ['in the middle of a stage', 'shadow', 11, 1],
    ['after a crossing', 'canary-5', 40, 2],
    ['of an earlier stage, all generations', 'shadow', 40, 0],
    ['of a stage whose promotion starts afresh', 'canary-5', 32, 3],
  ])('computes a look %s again, equal to the last digit', async (_, stage, seconds, fromGeneration) => {
    const taken = await look(stage, seconds, fromGeneration, 4);
    await look('canary-5', 40, 2, 5);
    for (const id of [taken.id, `${stage}/4`]) {
      const { exitCode, recomputed, look: told, sentences } = await explained('--look', id);
      expect(recomputed).toEqual({ equal: true, differences: [] });
      expect(told?.id).toBe(taken.id);
      expect(sentences.at(-1)).toContain('every figure is equal to the last digit');
      expect(exitCode).toBe(0);
    }
  });

  it('names each figure that is not what was recorded, and fails', async () => {
    const taken = await look('shadow', 20, 1, 1);
    const error = taken.guardrails.error_rate;
    if (!error) throw new Error('no error_rate');
    const logE = { ...error.logE, breach: (error.logE.breach ?? 0) + 1e-12 };
    await ledger.recordLook({
      ...taken,
      id: `${row.rollout}/shadow/9`,
      guardrails: { ...taken.guardrails, error_rate: { ...error, logE, verdict: 'safe' } },
    });
    const { exitCode, recomputed } = await explained('--look', 'shadow/9');
    expect(recomputed?.differences.map(({ figure }) => figure)).toEqual([
      'guardrails.error_rate.verdict',
      'guardrails.error_rate.logE.breach',
    ]);
    expect(recomputed?.differences[0]).toMatchObject({ recorded: 'safe', recomputed: error.verdict });
    expect(exitCode).toBe(1);
    const { printed } = await runCommand(['explain', 'support', '--look', 'shadow/9'], { cwd: directory });
    expect(printed).toContain('guardrails.error_rate.verdict is "undecided", but was recorded as "safe"');
  });

  it('tells that few users dominate, and computes that again too', async () => {
    const taken = await look('shadow', 20, 1, 1);
    const dominance = 'few users dominate stable: one of 64 groups of users sends 34% of its 800 requests';
    await ledger.recordLook({ ...taken, id: `${row.rollout}/shadow/2`, at: taken.at + 1, dominance });
    expect((await explained()).sentences).toContain(`A person is asked: ${dominance}.`);
    const again = await explained('--look', `${row.rollout}/shadow/2`);
    expect(again.recomputed).toEqual({
      equal: false,
      differences: [{ figure: 'dominance', recorded: dominance, recomputed: null }],
    });
  });

  it('names the newest looks when it does not know the one asked for', async () => {
    await look('shadow', 20, 1, 1);
    const { exitCode, noted } = await runCommand(['explain', 'support', '--look', 'canary-5/3'], { cwd: directory });
    expect(exitCode).toBe(2);
    expect(noted).toBe(`sluice: support has no look canary-5/3; its newest are ${row.rollout}/shadow/1`);
  });

  it('says so when there is no look, no rollout or no ledger', async () => {
    expect((await explained()).sentences).toEqual([
      'No look has been recorded yet: verdicts follow with the first closed intervals.',
    ]);
    const other = await runCommand(['explain', 'sales'], { cwd: directory });
    expect(other.noted).toContain('no rollout of sales');
    const empty = await runCommand(['explain', 'support'], { cwd: tmpdir() });
    expect(empty).toMatchObject({ exitCode: 2 });
    expect(empty.noted).toContain('there is no ledger at');
  });
});

describe('whatWouldChange', () => {
  const status: GuardrailStatus = {
    verdict: 'undecided',
    why: '',
    action: 'rollback',
    logE: { breach: 0, safe: 1 },
    stable: 0.01,
    candidate: 0.01,
    ratio: 1,
    interval: [0.5, 2],
    n: { stable: 900, candidate: 100 },
    needs: { requests: 12_345, seconds: 3700 },
  };

  it.each<[Partial<GuardrailStatus>, string]>([
    [
      {},
      'It turns safe, at an e-value of 20, after about 12,345 more requests like those so far, about 1h 1m at the traffic',
    ],
    [
      { needs: { requests: 10, seconds: null } },
      'after about 10 more requests like those so far; the rollout goes back',
    ],
    [{ needs: null }, 'At the rates seen it never turns safe'],
    [{ needs: null, n: { stable: 5, candidate: 0 } }, 'has none of one yet'],
    [{ action: 'hold', logE: { breach: 0, safe: null } }, 'It is no gate and never turns safe; the rollout holds when'],
    [{ verdict: 'safe' }, 'It stays safe while'],
    [{ verdict: 'breached' }, 'A new rollout starts without it'],
    [{ verdict: 'breached', action: 'hold' }, 'acknowledges it'],
    [{ verdict: 'breached', action: 'flag' }, 'neither holds nor gates'],
  ])('of %o', (change, sentence) => {
    expect(whatWouldChange('error_rate', { ...status, ...change }, fivePlan())).toContain(sentence);
  });

  it('of the sample ratio names its own bound', () => {
    const undecided: GuardrailStatus = { ...status, action: 'hold', logE: { breach: 0, safe: null }, needs: null };
    const plan = fivePlan({ guardrails: [sampleRatio()] });
    expect(whatWouldChange('sample_ratio', undecided, plan)).toBe(
      'It is no gate and never turns safe; the rollout holds when its own e-value reaches 1000.',
    );
  });
});

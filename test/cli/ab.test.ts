import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { renderStatus } from '../../src/cli/status-view.js';
import type { AbReading } from '../../src/evidence/look.js';
import { stageName } from '../../src/plan/ids.js';
import { createAssessment } from '../../src/statistics/assessment/assessment.js';
import { AB, abPlan, ALL } from '../statistics/assessment/ab-plan.js';
import { errorRate } from '../statistics/assessment/plan-fixture.js';
import { HEALTHY } from '../statistics/assessment/simulate-evidence.js';
import { generateLines, HEALTHY as HEALTHY_LINES, writeLines } from './generate-lines.js';
import { simulatedLedger } from './ledger-fixture.js';
import { runCommand } from './run-command.js';
import { statusFixture } from './status-fixture.js';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-ab-'));
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('an ab stage', () => {
  it('is explained: what it compares, what it found, what follows, and again to the last digit', async () => {
    const plan = abPlan(errorRate());
    const stages = [{ stage: 'ab', seconds: 60, candidate: { ...HEALTHY, errorRate: 0.01 } }];
    const { ledger, row } = await simulatedLedger(directory, plan, stages, { ...HEALTHY, errorRate: 0.08 });
    const assessment = createAssessment(row.plan, row.seeds);
    for await (const records of ledger.evidence(row.rollout, 0, Number.MAX_SAFE_INTEGER)) assessment.absorb(records);
    const id = `${row.rollout}/ab/1`;
    const reading = assessment.read(AB, ALL);
    await ledger.recordLook({ ...reading, id, rollout: row.rollout, at: row.startedAt, why: 'promote' });
    await ledger.close();
    const { exitCode, printed } = await runCommand(['explain', 'support', '--look', id], { cwd: directory });
    expect(exitCode).toBe(0);
    const lines = printed.split('\n');
    expect(reading.ab?.finding).toBe('candidate-better');
    expect(lines).toContain(`The ab stage compares the variants on error_rate: ${reading.ab?.why}.`);
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^A winner is called when the e-value for a difference reaches 20; "no difference" follows/,
      ),
    );
    expect(lines).toContain('The stage is decided: the candidate is better, and the plan passes the stage.');
    expect(lines).toContain('Computed again from the evidence in the ledger, every figure is equal to the last digit.');
  });

  it('is analyzed over logged requests', async () => {
    const planPath = join(directory, 'plan.yaml');
    const linesPath = join(directory, 'requests.jsonl');
    writeFileSync(
      planPath,
      'route: support\ncandidate: llama-32\nstages: [{ kind: ab, for: 60s, interval: 1s, warmup: 2s }]\n',
    );
    const worse = { ...HEALTHY_LINES, errorRate: 0.2 };
    writeLines(
      linesPath,
      generateLines({ stages: [{ stage: 'ab', lines: 3000, candidateShare: 0.5, candidate: worse }] }),
    );
    const { printed } = await runCommand(['analyze', '--plan', planPath, '--json', linesPath]);
    expect(JSON.parse(printed)).toMatchObject({
      stages: [{ stage: 'ab', promote: { open: true, waiting: [] }, ab: { finding: 'stable-better' } }],
    });
    const people = await runCommand(['analyze', '--plan', planPath, linesPath]);
    expect(people.printed).toMatch(/decided: stable is better on error_rate: errors /);
  });

  it('is shown in status', () => {
    const why = 'undecided on error_rate: errors 1% against 1%';
    const ab: AbReading = {
      primary: 'error_rate',
      finding: 'undecided',
      logE: { worse: 0, better: 0, inside: null },
      why,
    };
    const status = statusFixture();
    const stage = { ...status.stage, name: stageName('ab'), kind: 'ab' as const };
    const shown = stripVTControlCharacters(renderStatus({ ...status, stage, ab }, 0));
    expect(shown.split('\n')).toContain(`  A/B     ${why}`);
    expect(stripVTControlCharacters(renderStatus(status, 0))).not.toContain('A/B');
  });
});

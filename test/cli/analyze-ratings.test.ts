import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import type { Analysis } from '../../src/cli/analyze/analyze-lines.js';
import { START_MS, writeLines } from './generate-lines.js';
import { runCommand } from './run-command.js';

const PLAN = `
route: support
candidate: llama-32
stages:
  - { kind: canary, share: 50%, for: 60s, interval: 1s, warmup: 0s }
guardrails: { latency_p50: off, latency_p95: off }
`;
/** A sixth of the stage. */
const HORIZON_SECONDS = 10;
const PER_SECOND = 20;
const SECONDS = 40;

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-analyze-'));
  writeFileSync(join(directory, 'plan.yaml'), PLAN);
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

const analysisSchema = z.custom<Analysis>(
  (value) => typeof value === 'object' && value !== null && 'action' in value && 'guardrails' in value,
);

interface Rating {
  readonly thumb?: 'up' | 'down';
  readonly score?: number;
}

/** Every other request is the candidate's; `rate` says how users rate the n-th of a variant. */
async function analyze(rate: (variant: 'stable' | 'candidate', number: number) => Rating): Promise<Analysis> {
  const lines = Array.from({ length: SECONDS * PER_SECOND }, (_, index) => {
    const variant = index % 2 === 0 ? 'stable' : 'candidate';
    return JSON.stringify({
      at: new Date(START_MS + (1000 * index) / PER_SECOND).toISOString(),
      stage: 'canary-50',
      variant,
      ...(index % 3 === 0 ? {} : { unit: `u-${index}` }),
      error: null,
      ...rate(variant, Math.floor(index / 2)),
    });
  });
  const path = join(directory, 'requests.jsonl');
  writeLines(path, lines);
  const { printed, noted } = await runCommand(['analyze', '--plan', join(directory, 'plan.yaml'), '--json', path]);
  if (printed === '') throw new Error(noted);
  return analysisSchema.parse(JSON.parse(printed));
}

const thumb = (isBad: boolean): Rating => ({ thumb: isBad ? 'down' : 'up' });

describe('sluice analyze of ratings', () => {
  it('rolls back on bad ratings, once the horizon behind an interval is over', async () => {
    const { action, guardrails, firstBreach } = await analyze((variant, number) =>
      thumb(number % 10 < (variant === 'stable' ? 1 : 5)),
    );
    expect(action).toBe('rollback');
    // The last horizon of the file still waits: live it would, too.
    const used = ((SECONDS - HORIZON_SECONDS) * PER_SECOND) / 2;
    expect(guardrails.feedback).toMatchObject({
      verdict: 'breached',
      stable: 0.1,
      candidate: 0.5,
      n: { stable: used, candidate: used },
    });
    expect(guardrails.feedback?.why).toContain(`${HORIZON_SECONDS * PER_SECOND} ratings wait for their horizon`);
    expect(firstBreach?.guardrail).toBe('feedback');
    expect(Date.parse(firstBreach?.at ?? '')).toBeGreaterThan(START_MS + 1000 * HORIZON_SECONDS);
    expect(guardrails.response_rate).toMatchObject({ stable: 1, candidate: 1, n: { stable: used, candidate: used } });
  });

  it('reads scores, which count before a thumb of the same request', async () => {
    const { guardrails } = await analyze((_, number) =>
      number % 2 === 0 ? {} : { score: number % 4 === 1 ? 2 : 3, thumb: 'up' },
    );
    expect(guardrails.feedback).toMatchObject({ stable: 0.5, candidate: 0.5, n: { stable: 150, candidate: 150 } });
    expect(guardrails.response_rate).toMatchObject({ stable: 0.5, candidate: 0.5 });
  });

  it('says that it knows of no ratings where there are none', async () => {
    const { action, guardrails } = await analyze(() => ({}));
    expect(action).toBe('none');
    expect(guardrails.feedback).toMatchObject({ stable: null, candidate: null, n: { stable: 0, candidate: 0 } });
    expect(guardrails.response_rate).toMatchObject({ stable: 0, candidate: 0 });
  });
});

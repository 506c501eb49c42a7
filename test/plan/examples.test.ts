import { describe, expect, it } from 'vitest';
import { parseConfigFile } from '../../src/plan/config-file.js';
import { freezePlan } from '../../src/plan/freeze.js';
import { parsePlanFile } from '../../src/plan/plan-file.js';
import type { Plan } from '../../src/plan/types.js';

const config = parseConfigFile('examples/sluice.yaml');

function freezeExample(path: string): Plan {
  const file = parsePlanFile(path);
  return freezePlan(file.written, { ...file, config, stable: null });
}

describe('examples', () => {
  it('support.yaml is a whole plan', () => {
    expect(freezeExample('examples/support.yaml')).toMatchObject({
      route: 'support',
      stable: 'llama-31',
      candidate: 'llama-32',
      preset: 'five-week',
    });
  });

  it('support-written-out.yaml writes out exactly its defaults', () => {
    const { digest: short, preset: _, ...plan } = freezeExample('examples/support.yaml');
    const { digest: long, preset, ...writtenOut } = freezeExample('examples/support-written-out.yaml');
    expect(writtenOut).toEqual(plan);
    expect(preset).toBeNull();
    expect(long).not.toBe(short);
  });

  it('ab.yaml calls a winner on its primary and acts on it', () => {
    const { preset, ab, stages, guardrails } = freezeExample('examples/ab.yaml');
    expect(preset).toBe('ab');
    expect(ab).toEqual({ primary: 'latency_p95', winner: 'act' });
    expect(stages).toMatchObject([
      { name: 'ab', weights: { stable: 0.5, candidate: 0.5 }, durationMs: 14 * 86_400_000 },
    ]);
    // What the file says of its margin.
    const primary = guardrails.find(({ name }) => name === ab?.primary);
    if (primary?.kind !== 'quantile' || primary.promote === null) throw new Error('no margin');
    expect(primary.histogram.gamma ** primary.promote.shifts.late).toBeCloseTo(1.2, 9);
  });

  it('sluice.yaml has everything this version knows', () => {
    expect([...config.webhooks.keys()]).toEqual(['releases']);
    expect([...config.checks.keys()]).toEqual(['evals']);
  });
});

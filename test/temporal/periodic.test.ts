import { expect, it } from 'vitest';
import { runPeriodically } from '../../src/temporal/periodic.js';
import { KEEP_MS, retentionChore } from '../../src/temporal/retention.js';
import { VirtualClock } from '../helpers/virtual-clock.js';

it('goes on after a pass that fails, and ends when told', async () => {
  const clock = new VirtualClock();
  const controller = new AbortController();
  const warnings: string[] = [];
  const at: number[] = [];
  const pass = async (): Promise<void> => {
    at.push(clock.elapsedMs);
    if (at.length === 1) throw new Error('the ledger is away');
    if (at.length === 3) controller.abort(new Error('shutdown'));
  };
  await runPeriodically(
    { name: 'routes reconciled', everyMs: 60_000, pass },
    { sleep: (ms, signal) => clock.sleep(ms, signal), log: { warn: (message) => warnings.push(message) } },
    controller.signal,
  );
  expect(at).toEqual([0, 60_000, 120_000]);
  expect(warnings).toEqual(['not done: routes reconciled: the ledger is away; tried again in 60 s']);
});

it('deletes what ended more than 400 days ago', async () => {
  const asked: number[] = [];
  const expire = async (before: number): Promise<{ rollouts: number }> => {
    asked.push(before);
    return { rollouts: 0 };
  };
  await retentionChore({ expire }, () => 1_800_000_000_000).pass(new AbortController().signal);
  expect(asked).toEqual([1_800_000_000_000 - KEEP_MS]);
});

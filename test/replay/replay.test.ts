import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DeterminismViolationError } from '@temporalio/workflow';
import { Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import '../helpers/quiet-runtime.js';
import { bundleWorkflows } from '../helpers/workflow-bundle.js';

vi.setConfig({ testTimeout: 60_000, hookTimeout: 120_000 });

const root = fileURLToPath(new URL('histories/', import.meta.url));
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));

let bundle: Awaited<ReturnType<typeof bundleWorkflows>> = null;
beforeAll(async () => {
  bundle = await bundleWorkflows();
});
afterAll(() => bundle?.remove());

function read(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

async function replay(history: string): Promise<void> {
  const options = { workflowBundle: { codePath: bundle?.path ?? '' } };
  await Worker.runReplayHistory(options, JSON.parse(history), 'rollout/support');
}

describe('rollouts that older versions have begun', () => {
  it.each(files)('%s goes on under this one', async (file) => {
    await expect(replay(read(file))).resolves.toBeUndefined();
  });

  it('would not if the workflow did something else', async () => {
    const other = read('0.1/promoted.json').replaceAll('"name": "assess"', '"name": "assessOtherwise"');
    await expect(replay(other)).rejects.toBeInstanceOf(DeterminismViolationError);
  });

  it('are of every kind, and tell nothing of the machine that recorded them', () => {
    const kinds = ['cancelled', 'continued', 'continued-again', 'held', 'promoted', 'rolled-back'];
    expect(
      files
        .filter((file) => file.startsWith('0.1/'))
        .map((file) => file.slice(4, -5))
        .toSorted(),
    ).toEqual(kinds);
    for (const file of files) expect(read(file)).not.toMatch(/"(identity|stackTrace)"|node_modules|@vm|\d+@/);
  });
});

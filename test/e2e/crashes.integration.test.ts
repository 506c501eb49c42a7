import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { z } from 'zod';
import { openLedger } from '../../src/ledger/open-ledger.js';
import { rolloutId } from '../../src/plan/ids.js';
import { startEmbedded, type Embedded } from './embedded.js';

const shape = z.object({
  rollout: z.string(),
  state: z.string(),
  evidence: z.string(),
  stage: z.object({ name: z.string() }),
  split: z.object({ generation: z.number() }),
});

let embedded: Embedded;

beforeAll(async () => {
  embedded = await startEmbedded();
  const path = join(embedded.directory, 'plan.yaml');
  const stages = '[{ kind: canary, share: 25%, for: 1h }, { kind: flip, bake: 1h }]';
  writeFileSync(
    path,
    `route: support\ncandidate: llama-32\nstages: ${stages}\ndefaults: { interval: 1s, warmup: 0s }\nrequestTimeout: 5s\n`,
  );
  const { exitCode, err } = await embedded.sluice('start', path);
  if (exitCode !== 0) throw new Error(err);
});

afterAll(async () => {
  await embedded.stop();
});

async function status(): Promise<z.infer<typeof shape>> {
  const { out, err } = await embedded.sluice('status', 'support', '--json');
  if (out === '') throw new Error(err);
  return shape.parse(JSON.parse(out));
}

/** Requests in the ledger's evidence that is in use. */
async function counted(): Promise<number> {
  const ledger = await openLedger({ sqlitePath: embedded.stack.up.ledger });
  try {
    const id = rolloutId((await status()).rollout);
    let started = 0;
    for await (const batch of ledger.evidence(id, 0, await ledger.closedThrough(id)))
      for (const record of batch) started += record.started;
    return started;
  } finally {
    await ledger.close();
  }
}

async function untilMoreThan(requests: number): Promise<void> {
  await expect.poll(counted, { timeout: 50_000, interval: 500 }).toBeGreaterThan(requests);
}

it('goes on after its worker was killed, and counts no request twice', async () => {
  await untilMoreThan(100);
  await embedded.stack.worker.killAndRestart();
  await untilMoreThan((await counted()) + 200);
  expect(await counted()).toBeLessThanOrEqual(embedded.traffic.counters().sent);
  expect(await status()).toMatchObject({ state: 'running', stage: { name: 'canary-25' } });
});

it('goes on after its router was killed: the same split, the same generation', async () => {
  const before = await embedded.router();
  await embedded.stack.router.killAndRestart();
  const after = await embedded.router();
  expect(after.process).not.toBe(before.process);
  expect(after.split).toEqual(before.split);
  expect(after.inForce).toBe(true);
  await untilMoreThan((await counted()) + 200);
  expect(await counted()).toBeLessThanOrEqual(embedded.traffic.counters().sent);
});

it('goes on after Temporal was started again on its file', async () => {
  const before = await status();
  await embedded.stack.restartTemporal();
  await untilMoreThan((await counted()) + 200);
  expect(await status()).toMatchObject({ rollout: before.rollout, state: 'running', split: before.split });
  const back = await embedded.sluice('rollback', 'support', '--reason', 'the test is over');
  expect(back).toMatchObject({ exitCode: 0 });
});

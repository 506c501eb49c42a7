import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sluiceIn, startEmbedded, type Embedded } from './embedded.js';

let embedded: Embedded;

beforeAll(async () => {
  embedded = await startEmbedded();
});

afterAll(async () => {
  await embedded.stop();
});

function plan(name: string, text: string): string {
  const path = join(embedded.directory, name);
  writeFileSync(path, text);
  return path;
}

function slow(name: string): string {
  return plan(
    name,
    'route: support\ncandidate: llama-32\nstages: [{ kind: shadow, for: 1h }, { kind: canary, share: 5%, for: 1h }]\ndefaults: { interval: 1s, warmup: 0s }\n',
  );
}

async function status(): Promise<Record<string, unknown>> {
  const { out } = await embedded.sluice('status', 'support', '--json');
  const value: unknown = JSON.parse(out);
  if (typeof value !== 'object' || value === null) throw new Error(`no status: ${out}`);
  return { ...value };
}

it('refuses a plan before anything starts, with path, value and fix', async () => {
  const unknown = await embedded.sluice('start', plan('a.yaml', 'route: support\ncandidate: llama-33\n'));
  expect(unknown).toMatchObject({ exitCode: 2 });
  expect(unknown.err).toMatch(/a\.yaml:2:\d+: candidate is "llama-33": .*llama-3[12]/);
  const share = plan(
    'b.yaml',
    'route: support\ncandidate: llama-32\nstages: [{ kind: canary, share: 150%, for: 1h }]\n',
  );
  expect(await embedded.sluice('validate', share)).toMatchObject({ exitCode: 2 });
  expect((await embedded.sluice('status', 'support')).err).toMatch(/no rollout of support/);
});

it('walks a rollout by a person’s word, each command with its answer', async () => {
  const path = slow('slow.yaml');
  expect(await embedded.sluice('start', path)).toMatchObject({ exitCode: 0 });
  const second = await embedded.sluice('start', path);
  expect(second).toMatchObject({ exitCode: 1 });
  expect(second.err).toMatch(/a rollout of support is running already/);

  expect(await embedded.sluice('pause', 'support', '--reason', 'lunch')).toMatchObject({ exitCode: 0 });
  expect(await status()).toMatchObject({ state: 'paused', stage: { name: 'shadow', endsAt: null } });
  expect(await embedded.sluice('resume', 'support', '--reason', 'back')).toMatchObject({ exitCode: 0 });
  expect(await status()).toMatchObject({ state: 'running' });

  const elsewhere = await embedded.sluice('promote', 'support', '--stage', 'canary-5', '--reason', 'x', '--yes');
  expect(elsewhere).toMatchObject({ exitCode: 1 });
  expect(elsewhere.err).toMatch(/at stage "shadow"/);
  const promoted = await embedded.sluice('promote', 'support', '--stage', 'shadow', '--reason', 'seen enough', '--yes');
  expect(promoted).toMatchObject({ exitCode: 0 });
  await expect.poll(status, { timeout: 30_000 }).toMatchObject({ stage: { name: 'canary-5' } });
  await expect.poll(async () => (await embedded.router()).split.weights.candidate, { timeout: 30_000 }).toBe(0.05);
  expect((await embedded.sluice('list')).out).toMatch(/support\s+running\s+canary-5/);

  const back = await embedded.sluice('rollback', 'support', '--reason', 'a customer complained');
  expect(back).toMatchObject({ exitCode: 0 });
  expect(back.out).toMatch(/rolled-back: 100% llama-31/);
  expect((await embedded.router()).split).toMatchObject({ weights: { stable: 1, candidate: 0 }, lease: null });
  expect(await embedded.sluice('status', 'support')).toMatchObject({ exitCode: 3 });
  expect(await embedded.sluice('promote', 'support', '--reason', 'x')).toMatchObject({ exitCode: 2 });
});

it('rolls back on a raw signal of the Temporal CLI', async () => {
  expect(await embedded.sluice('start', slow('raw.yaml'))).toMatchObject({ exitCode: 0 });
  const input = '{"by":"me","reason":"x"}';
  const args = ['workflow', 'signal', '--workflow-id', 'rollout/support', '--name', 'rollback', '--input', input];
  expect(await embedded.sluice('temporal', '--', ...args)).toMatchObject({ exitCode: 0 });
  await expect.poll(status, { timeout: 30_000 }).toMatchObject({ state: 'rolled-back', outcome: { by: 'me' } });
  expect((await embedded.router()).split.weights).toEqual({ stable: 1, candidate: 0 });
});

it('tells the way back when a promotion is to be rolled back', async () => {
  // The rollout before has its outcome a moment before its workflow is closed: a script need not know.
  expect(await embedded.sluice('start', slow('end.yaml'))).toMatchObject({ exitCode: 0 });
  const end = await embedded.sluice('promote', 'support', '--to-end', '--reason', 'sure', '--yes');
  expect(end).toMatchObject({ exitCode: 0 });
  await expect.poll(status, { timeout: 60_000 }).toMatchObject({ state: 'promoted' });
  expect((await embedded.router()).split).toMatchObject({ upstreams: { stable: 'llama-32' }, lease: null });
  const late = await embedded.sluice('rollback', 'support', '--reason', 'x');
  expect(late).toMatchObject({ exitCode: 2 });
  expect(late.err).toContain('sluice start --route support --candidate llama-31 --preset blue-green');
  // The line that this version has in its place takes the route back.
  const line = 'start --route support --candidate llama-31 --preset canary';
  expect(late.err).toContain(`sluice ${line}`);
  expect(await embedded.sluice(...line.split(' '))).toMatchObject({ exitCode: 0 });
  expect(await status()).toMatchObject({ split: { upstreams: { stable: 'llama-32', candidate: 'llama-31' } } });
  const stay = await embedded.sluice('rollback', 'support', '--reason', 'the test is over');
  expect(stay).toMatchObject({ exitCode: 0 });
  expect(stay.out).toMatch(/100% llama-32/);
});

it('ends soon and names the target when Temporal is not there', async () => {
  const env = { ...process.env, TEMPORAL_ADDRESS: '127.0.0.1:1' };
  const ran = await sluiceIn(embedded.directory, ['status', 'support'], env);
  expect(ran).toMatchObject({ exitCode: 1 });
  expect(ran.err).toMatch(/127\.0\.0\.1:1 \(from TEMPORAL_ADDRESS\)/);
});

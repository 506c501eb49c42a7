import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { z } from 'zod';
import { startSampleTraffic } from '../../src/cli/demo/sample-traffic.js';
import type { Ledger } from '../../src/ledger/ledger.js';
import { openLedger } from '../../src/ledger/open-ledger.js';
import { rolloutId } from '../../src/plan/ids.js';
import { startEmbedded, type Embedded } from './embedded.js';

const INTERVAL_MS = 1_000;

const guardrail = z.object({
  verdict: z.enum(['safe', 'undecided', 'breached']),
  why: z.string(),
  action: z.enum(['rollback', 'hold', 'flag']),
  logE: z.object({ breach: z.number().nullable(), safe: z.number().nullable() }),
  n: z.object({ stable: z.number(), candidate: z.number() }),
});

/** `status --json` as scripts may rely on it: no key more. */
const shape = z.strictObject({
  route: z.literal('support'),
  rollout: z.string(),
  state: z.enum(['running', 'paused', 'held', 'rolling-back', 'promoted', 'rolled-back', 'cancelled', 'failed']),
  evidence: z.enum(['ok', 'no-traffic', 'source-down', 'router-not-converged', 'clock-skew']),
  stage: z.strictObject({
    name: z.string(),
    kind: z.string(),
    index: z.number(),
    share: z.number(),
    startedAt: z.number().nullable(),
    endsAt: z.number().nullable(),
  }),
  split: z.strictObject({
    generation: z.number(),
    weights: z.strictObject({ stable: z.number(), candidate: z.number() }),
    mirror: z.strictObject({ variant: z.enum(['stable', 'candidate']), share: z.number() }),
    upstreams: z.strictObject({ stable: z.string(), candidate: z.string().nullable() }),
  }),
  guardrails: z.record(z.string(), guardrail),
  flags: z.array(z.string()),
  hold: z.object({ reason: z.string(), since: z.number() }).nullable(),
  gates: z.array(z.strictObject({ kind: z.string(), open: z.boolean(), why: z.string() })),
  decisions: z.array(
    z.strictObject({
      at: z.number(),
      stage: z.string(),
      action: z.string(),
      by: z.string(),
      reason: z.string(),
      look: z.string().nullable(),
    }),
  ),
  outstanding: z.array(z.string()),
  outcome: z.object({ state: z.string(), stage: z.string(), reason: z.string(), by: z.string() }).nullable(),
});

let embedded: Embedded;
let ledger: Ledger;

beforeAll(async () => {
  embedded = await startEmbedded();
  await embedded.traffic.stop();
  ledger = await openLedger({ sqlitePath: embedded.stack.up.ledger });
});

afterAll(async () => {
  await ledger.close();
  await embedded.stop();
});

async function status(): Promise<z.infer<typeof shape>> {
  const { out, err } = await embedded.sluice('status', 'support', '--json');
  if (out === '') throw new Error(err);
  return shape.parse(JSON.parse(out));
}

/** A stage of an hour whose split is in force before the first request. */
async function start(): Promise<z.infer<typeof shape>> {
  const path = join(embedded.directory, 'plan.yaml');
  const stages = '[{ kind: canary, share: 25%, for: 1h }, { kind: flip, bake: 1h }]';
  writeFileSync(
    path,
    `route: support\ncandidate: llama-32\nstages: ${stages}\ndefaults: { interval: 1s, warmup: 0s }\nrequestTimeout: 5s\n`,
  );
  const { exitCode, err } = await embedded.sluice('start', path);
  if (exitCode !== 0) throw new Error(err);
  return vi.waitFor(
    async () => {
      const now = await status();
      if (now.stage.startedAt === null) throw new Error('the stage has not begun');
      return now;
    },
    { timeout: 30_000, interval: 100 },
  );
}

/** Requests by variant in the evidence that is in use. */
async function counted(rollout: string): Promise<{ stable: number; candidate: number }> {
  const sum = { stable: 0, candidate: 0 };
  for await (const records of ledger.evidence(rolloutId(rollout), 0, Number.MAX_SAFE_INTEGER))
    for (const record of records) sum[record.variant] += record.started;
  return sum;
}

async function untilClosed(rollout: string, through: number): Promise<void> {
  await vi.waitUntil(async () => (await ledger.closedThrough(rolloutId(rollout))) >= through, { timeout: 60_000 });
}

describe('evidence of a rollout', { timeout: 150_000 }, () => {
  it('counts every request exactly once, though worker and Temporal went away in between', async () => {
    const { rollout } = await start();
    const traffic = startSampleTraffic({
      router: embedded.stack.up.router.url,
      route: 'support',
      behaviour: { requestsPerSecond: 150, abortShare: 0, ratedShare: 0 },
      seed: 11,
    });
    await untilClosed(rollout, Date.now() + 2 * INTERVAL_MS);
    await embedded.stack.worker.killAndRestart();
    await untilClosed(rollout, Date.now() + INTERVAL_MS);
    await embedded.stack.restartTemporal();
    await untilClosed(rollout, Date.now() + INTERVAL_MS);
    const { sent, ok, failed, failures, variants } = await traffic.stop();
    await untilClosed(rollout, Date.now() + INTERVAL_MS);
    expect(sent).toBeGreaterThan(500);
    // Its models answer one request in a hundred with an error: that is evidence too.
    expect({ answered: ok + failed, failures: Object.keys(failures) }).toEqual({ answered: sent, failures: ['500'] });
    expect(await counted(rollout)).toEqual({ stable: variants.stable, candidate: variants.candidate });
    expect(await embedded.sluice('rollback', 'support', '--reason', 'next test')).toMatchObject({ exitCode: 0 });
  });

  it('goes on while the clock stands still, for exactly as long as the pause', async () => {
    const before = await start();
    expect(before).toMatchObject({ state: 'running', stage: { name: 'canary-25', index: 0, share: 0.25 } });
    const traffic = startSampleTraffic({
      router: embedded.stack.up.router.url,
      route: 'support',
      behaviour: { requestsPerSecond: 100, abortShare: 0, ratedShare: 0 },
      seed: 12,
    });
    await untilClosed(before.rollout, Date.now());
    expect(await embedded.sluice('pause', 'support', '--reason', 'a look at the logs')).toMatchObject({ exitCode: 0 });
    const paused = await status();
    expect(paused).toMatchObject({ state: 'paused', stage: { endsAt: null } });
    const atPause = await counted(before.rollout);
    await untilClosed(before.rollout, Date.now() + 2 * INTERVAL_MS);
    const later = await counted(before.rollout);
    expect(later.candidate).toBeGreaterThan(atPause.candidate);
    expect(await embedded.sluice('resume', 'support', '--reason', 'all is well')).toMatchObject({ exitCode: 0 });
    const resumed = await status();
    const [pause, resume] = resumed.decisions.slice(-2);
    expect([pause?.action, resume?.action]).toEqual(['pause', 'resume']);
    const stoodStillMs = (resume?.at ?? 0) - (pause?.at ?? 0);
    expect(stoodStillMs).toBeGreaterThan(INTERVAL_MS);
    expect(resumed.stage.endsAt).toBe((before.stage.endsAt ?? 0) + stoodStillMs);

    // Paused again, and the candidate falls over: no person is needed.
    expect(await embedded.sluice('pause', 'support', '--reason', 'lunch')).toMatchObject({ exitCode: 0 });
    embedded.candidate.set({ errorRate: 1 });
    const ended = await vi.waitFor(
      async () => {
        const now = await status();
        if (now.decisions.at(-1)?.action !== 'rollback')
          throw new Error(`${now.state}: ${JSON.stringify(now.decisions)}`);
        return now;
      },
      { timeout: 60_000, interval: 200 },
    );
    expect(ended).toMatchObject({ state: 'rolled-back', outcome: { by: 'sluice', stage: 'canary-25' } });
    expect((await embedded.router()).split.weights).toEqual({ stable: 1, candidate: 0 });
    await traffic.stop();
  });
});

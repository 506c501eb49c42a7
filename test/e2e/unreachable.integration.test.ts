import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { startSampleEndpoint } from '../../src/cli/demo/sample-endpoint.js';
import { startSampleTraffic } from '../../src/cli/demo/sample-traffic.js';
import { startChild } from '../../src/cli/stack/child.js';
import { freePort } from '../../src/temporal/free-port.js';
import { sampleConfig } from '../../src/cli/stack/sample-config.js';
import { openLedger } from '../../src/ledger/open-ledger.js';
import { startEmbeddedServer } from '../../src/temporal/embedded-server.js';
import { statusFixture } from '../cli/status-fixture.js';
import { sluiceIn, type Ran } from './embedded.js';

const SECRETS = { SLUICE_ADMIN_TOKEN: 'token-of-this-test', SLUICE_TOKEN_KEY: 'key-of-this-test-key-of-this-test' };

/** What the command line promises: it ends this soon when Temporal, or a worker, does not answer. */
const TEMPORAL_WITHIN_MS = 5_000;
const WORKER_WITHIN_MS = 10_000;

const closing: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (let close = closing.pop(); close !== undefined; close = closing.pop()) await close();
});

function directory(): string {
  const made = mkdtempSync(join(tmpdir(), 'sluice-unreachable-'));
  closing.push(async () => rmSync(made, { recursive: true, force: true }));
  return made;
}

async function timed(work: Promise<Ran>): Promise<Ran & { readonly tookMs: number }> {
  const began = performance.now();
  return { ...(await work), tookMs: performance.now() - began };
}

interface Addresses {
  readonly routerPort: number;
  readonly adminPort: number;
  readonly stableUrl: string;
}

function writeConfig(path: string, { routerPort, adminPort, stableUrl }: Addresses): void {
  writeFileSync(
    path,
    sampleConfig({
      routerPort,
      adminPort,
      stableUrl,
      candidateUrl: stableUrl,
      stableModel: 'llama-3.1-8b-instruct',
      candidateModel: 'llama-3.1-8b-instruct',
    }),
  );
}

describe('without Temporal', () => {
  const commands = [
    ['status', 'support'],
    ['list'],
    ['start', '--route', 'support', '--candidate', 'llama-32'],
    ['pause', 'support', '--reason', 'x'],
    ['rollback', 'support', '--reason', 'x'],
  ];

  /** How each command ended, in words that a failure can show. */
  async function endings(address: string): Promise<readonly string[]> {
    const cwd = directory();
    const said = `Temporal does not answer at ${address} (from flag --address), namespace default`;
    const all = await Promise.all(commands.map((args) => timed(sluiceIn(cwd, [...args, '--address', address]))));
    return all.map(({ exitCode, out, err, tookMs }) => {
      if (out !== '' || !err.includes(said)) return `exit ${exitCode}: ${out}${err}`;
      return `exit ${exitCode}, named the target, ${tookMs < TEMPORAL_WITHIN_MS ? 'in time' : `after ${tookMs} ms`}`;
    });
  }
  const promised = commands.map(() => 'exit 1, named the target, in time');

  it('ends within five seconds and names what it tried, when nothing listens', async () => {
    expect(await endings(`127.0.0.1:${await freePort()}`)).toEqual(promised);
  });

  it('ends within five seconds when something listens and says nothing', async () => {
    const silent: Server = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    closing.push(async () => silent.close());
    const bound = silent.address();
    if (bound === null || typeof bound === 'string') throw new Error('no port');
    expect(await endings(`127.0.0.1:${bound.port}`)).toEqual(promised);
  });
});

describe('without a worker', { timeout: 120_000 }, () => {
  it('never takes the end of an earlier rollout for that of the one that runs', async () => {
    const cwd = directory();
    const server = await startEmbeddedServer({
      databaseFile: join(cwd, 'temporal.db'),
      logFile: join(cwd, 'temporal.log'),
      port: 0,
      uiPort: null,
    });
    closing.push(() => server.stop());
    mkdirSync(join(cwd, '.sluice'));
    const ledger = await openLedger({ sqlitePath: join(cwd, '.sluice', 'ledger.db') });
    const earlier = statusFixture();
    const { name: stage } = earlier.stage;
    const end = { state: 'promoted', at: 1, stage, reason: 'x', guardrails: [], evidence: null, by: 'sluice' } as const;
    await ledger.saveStatus({ ...earlier, state: 'promoted', outcome: end });
    await ledger.close();
    const target = ['--address', server.address];
    await sluiceIn(cwd, ['start', '--route', 'support', '--candidate', 'llama-32', ...target]);

    const ran = await sluiceIn(cwd, ['rollback', 'support', '--reason', 'x', ...target]);
    expect(ran.err).toContain('the rollback waits there as a signal');
    expect(ran.exitCode).toBe(1);
  });

  it('says so within ten seconds; a rollback waits as a signal for the first worker that comes', async () => {
    const cwd = directory();
    const server = await startEmbeddedServer({
      databaseFile: join(cwd, 'temporal.db'),
      logFile: join(cwd, 'temporal.log'),
      port: 0,
      uiPort: null,
    });
    closing.push(() => server.stop());
    const ports = { routerPort: await freePort(), adminPort: await freePort() };
    const config = join(cwd, 'sluice.yaml');
    writeConfig(config, { ...ports, stableUrl: 'http://127.0.0.1:9/v1' });
    const start = ['start', '--route', 'support', '--candidate', 'llama-32', '--preset', 'canary'];
    const target = ['--address', server.address];
    const started = await timed(sluiceIn(cwd, [...start, ...target]));
    expect(started).toMatchObject({ exitCode: 1, out: '' });
    expect(started.err).toContain('no worker polls task queue "sluice" in namespace default');
    expect(started.tookMs).toBeLessThan(WORKER_WITHIN_MS);

    // At once: of several questions to a workflow without worker, Temporal keeps one and refuses the others.
    const pause = timed(sluiceIn(cwd, ['pause', 'support', '--reason', 'x', ...target]));
    const rollback = timed(sluiceIn(cwd, ['rollback', 'support', '--reason', 'nobody is there', ...target]));
    for (const ran of [await pause, await rollback]) {
      expect(ran).toMatchObject({ exitCode: 1, out: '' });
      expect(ran.err).toContain(`no worker answers on ${server.address}`);
      expect(ran.tookMs).toBeLessThan(WORKER_WITHIN_MS);
    }
    expect((await rollback).err).toContain('the rollback waits there as a signal');

    const env = { ...process.env, ...SECRETS };
    const common = { env, logFile: join(cwd, 'children.log') };
    const router = await startChild({
      ...common,
      name: 'router',
      args: ['router', '--config', config, '--state', join(cwd, 'router')],
    });
    closing.push(() => router.stop());
    const worker = await startChild({
      ...common,
      name: 'worker',
      args: ['worker', '--config', config, '--ledger', join(cwd, 'ledger.db'), ...target],
    });
    closing.push(() => worker.stop());
    const connection = await Connection.connect({ address: server.address });
    closing.push(() => connection.close());
    const outcome: unknown = await new Client({ connection }).workflow.getHandle('rollout/support').result();
    expect(outcome).toMatchObject({ state: 'rolled-back', reason: 'nobody is there' });
  });
});

describe('a router that is told to end', { timeout: 60_000 }, () => {
  it('finishes every request under load; clients that follow /readyz lose none', async () => {
    const cwd = directory();
    const endpoint = await startSampleEndpoint({
      model: 'llama-3.1-8b-instruct',
      seed: 1,
      behaviour: { latencyMedianMs: 400, latencyLogSd: 0.5, errorRate: 0, hangRate: 0 },
    });
    closing.push(() => endpoint.close());
    const [first, second] = [
      await startRouter(cwd, 'first', endpoint.url),
      await startRouter(cwd, 'second', endpoint.url),
    ];
    const behaviour = { requestsPerSecond: 200, streamedShare: 0.5, abortShare: 0, ratedShare: 0.2 };
    const before = startSampleTraffic({ router: first.url, route: 'support', behaviour, seed: 7 });
    await vi.waitUntil(() => before.counters().ok >= 200, { timeout: 20_000 });
    const underWay = before.counters().inFlight;
    expect(underWay).toBeGreaterThan(20);

    const ended = first.stop();
    await vi.waitUntil(async () => (await fetch(`${first.url}/readyz`)).status === 503, {
      interval: 20,
      timeout: 5_000,
    });
    // Who has turned away rates elsewhere what is still being answered here.
    before.set({ ratedShare: 0 });
    const after = startSampleTraffic({ router: second.url, route: 'support', behaviour, seed: 8 });
    const leaving = before.counters().inFlight;
    const left = await before.stop(30_000);
    await ended;
    await vi.waitUntil(() => after.counters().ok >= 200, { timeout: 20_000 });
    const taken = await after.stop(30_000);
    expect(leaving).toBeGreaterThan(0);
    for (const counters of [left, taken]) {
      expect(counters).toMatchObject({ failed: 0, failures: {}, skipped: 0, inFlight: 0, ok: counters.sent });
      expect(counters.ratings).toMatchObject({ failed: 0, accepted: counters.ratings.sent });
    }
    await expect(fetch(`${first.url}/readyz`)).rejects.toThrow('fetch failed');
  });

  async function startRouter(
    cwd: string,
    name: string,
    stableUrl: string,
  ): Promise<{ readonly url: string; stop(): Promise<void> }> {
    const own = join(cwd, name);
    mkdirSync(own);
    const routerPort = await freePort();
    const config = join(own, 'sluice.yaml');
    writeConfig(config, { routerPort, adminPort: await freePort(), stableUrl });
    const child = await startChild({
      name,
      args: ['router', '--config', config, '--state', join(own, 'state')],
      env: { ...process.env, ...SECRETS },
      logFile: join(own, 'router.log'),
    });
    closing.push(() => child.stop());
    return { url: `http://127.0.0.1:${routerPort}`, stop: () => child.stop() };
  }
});

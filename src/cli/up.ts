/** `sluice up`: the embedded stack, with sample endpoints where nothing else is configured. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { parseConfigFile } from '../plan/config-file.js';
import type { SluiceConfig } from '../plan/config.js';
import { SluiceError } from '../plan/failures.js';
import { freePort } from '../temporal/free-port.js';
import type { UpFlags } from './commands/up.js';
import { startSampleEndpoint } from './demo/sample-endpoint.js';
import { startSampleTraffic } from './demo/sample-traffic.js';
import type { Io } from './io.js';
import { untilStopped } from './stack/child-link.js';
import { requirePort } from './stack/ports.js';
import { sampleConfig } from './stack/sample-config.js';
import { startStack } from './stack/stack.js';
import { findUpFile, findUpward } from './workspace.js';

const PORTS = { temporal: 7233, ui: 8233, router: 8700, admin: 8701, stable: 8711, candidate: 8712 } as const;
const MODELS = { stable: 'llama-3.1-8b-instruct', candidate: 'llama-3.2-8b-instruct' } as const;

/** Ports of the sample endpoints that a `sluice.yaml` of ours names; kept beside it, so that they come back after a restart. */
const samplesSchema = z.object({ stable: z.number().int(), candidate: z.number().int() });
type Samples = z.infer<typeof samplesSchema>;

/** Resolves after Ctrl-C or SIGTERM, when nothing is left running. */
export async function runUp(flags: UpFlags, io: Io): Promise<void> {
  const other = findUpFile(io.cwd);
  if (other !== null) {
    throw new SluiceError(
      'port-taken',
      `sluice up runs here already (pid ${other.pid}): clients ${other.router.url}/v1; end it with Ctrl-C first`,
    );
  }
  const stopped = untilStopped();
  const ports = await choosePorts(flags);
  const configPath = resolve(io.cwd, flags.config ?? findUpward('sluice.yaml', io.cwd) ?? 'sluice.yaml');
  const directory = join(dirname(configPath), '.sluice');
  mkdirSync(directory, { recursive: true });
  const samplesPath = join(directory, 'samples.json');
  if (!existsSync(configPath)) await writeSample(configPath, samplesPath, ports, flags, io);
  const config = parseConfigFile(configPath);
  const open: (() => Promise<unknown>)[] = [];
  try {
    for (const endpoint of await startSamples(samplesPath, io)) open.push(() => endpoint.close());
    const stack = await startStack({ directory, configPath, ports, env: io.env, note: (text) => io.note(text) });
    open.push(() => stack.stop());
    io.print(
      [
        `clients      ${stack.up.router.url}/v1   (model: ${[...config.routes.keys()].join(', ')})`,
        `Web UI       ${stack.up.temporal.ui ?? 'none'}`,
        `admin        ${stack.up.router.admin}   (token in ${stack.up.adminTokenFile})`,
        `logs         ${stack.up.logs}`,
        `sluice.yaml  ${configPath}`,
        'start a rollout in another terminal: sluice start PLAN; Ctrl-C ends everything',
      ].join('\n'),
    );
    if (flags.traffic !== undefined) {
      const traffic = startSampleTraffic({
        router: stack.up.router.url,
        route: firstRoute(config),
        behaviour: { requestsPerSecond: flags.traffic },
      });
      open.push(() => traffic.stop(2_000));
    }
    io.note(`sluice up ends: ${await stopped}`);
  } finally {
    for (let close = open.pop(); close !== undefined; close = open.pop()) await close();
  }
}

async function choosePorts(flags: UpFlags): Promise<{ temporal: number; ui: number; router: number; admin: number }> {
  if (flags.freePorts === true) {
    return { temporal: await freePort(), ui: await freePort(), router: await freePort(), admin: await freePort() };
  }
  return {
    temporal: await requirePort(PORTS.temporal, 'Temporal'),
    ui: await requirePort(PORTS.ui, "Temporal's Web UI"),
    router: await requirePort(PORTS.router, 'the router'),
    admin: await requirePort(PORTS.admin, "the router's admin API"),
  };
}

async function writeSample(
  configPath: string,
  samplesPath: string,
  ports: { router: number; admin: number },
  flags: UpFlags,
  io: Io,
): Promise<void> {
  const free = flags.freePorts === true;
  const samples: Samples = {
    stable: free ? await freePort() : await requirePort(PORTS.stable, 'the first sample endpoint'),
    candidate: free ? await freePort() : await requirePort(PORTS.candidate, 'the second sample endpoint'),
  };
  writeFileSync(
    configPath,
    sampleConfig({
      routerPort: ports.router,
      adminPort: ports.admin,
      stableUrl: `http://127.0.0.1:${samples.stable}/v1`,
      candidateUrl: `http://127.0.0.1:${samples.candidate}/v1`,
      stableModel: MODELS.stable,
      candidateModel: MODELS.candidate,
    }),
  );
  writeFileSync(samplesPath, `${JSON.stringify(samples)}\n`);
  io.note(`wrote ${configPath} with two sample endpoints`);
}

async function startSamples(samplesPath: string, io: Io): Promise<readonly { close(): Promise<void> }[]> {
  if (!existsSync(samplesPath)) return [];
  const samples = samplesSchema.parse(JSON.parse(readFileSync(samplesPath, 'utf8')));
  const endpoints: { close(): Promise<void> }[] = [];
  for (const [index, variant] of (['stable', 'candidate'] as const).entries()) {
    const port = await requirePort(samples[variant], `the sample endpoint of ${variant}`);
    endpoints.push(await startSampleEndpoint({ model: MODELS[variant], port, seed: index + 1 }));
    io.note(`sample endpoint ${MODELS[variant]} at http://127.0.0.1:${port}/v1`);
  }
  return endpoints;
}

function firstRoute(config: SluiceConfig): string {
  const [route] = config.routes.keys();
  if (route === undefined)
    throw new SluiceError('config-invalid', 'sluice.yaml has no route: write routes: { NAME: { stable: UPSTREAM } }');
  return route;
}

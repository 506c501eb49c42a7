/** The whole of sluice for a test: sample endpoints, traffic, and the embedded stack in a directory of its own. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSluiceRouterBackend } from '../../src/backends/sluice-router.js';
import type { RouteView } from '../../src/backends/traffic-backend.js';
import { startDemoStack } from '../../src/cli/demo/demo-stack.js';
import { startSampleEndpoint, type SampleEndpoint } from '../../src/cli/demo/sample-endpoint.js';
import { startSampleTraffic, type SampleTraffic } from '../../src/cli/demo/sample-traffic.js';
import { untilServed } from '../../src/cli/demo/until-served.js';
import type { Io } from '../../src/cli/io.js';
import { run } from '../../src/cli/program.js';
import type { Stack } from '../../src/cli/stack/stack.js';
import { parseConfigFile } from '../../src/plan/config-file.js';
import { routeName } from '../../src/plan/ids.js';

export interface Ran {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
}

export interface Embedded {
  /** Working directory of the commands. */
  readonly directory: string;
  readonly stack: Stack;
  readonly traffic: SampleTraffic;
  /** Behind `llama-32`, for a test that makes it fail. */
  readonly candidate: SampleEndpoint;
  /** Runs a command as a person would, beside the running stack. */
  sluice(...args: readonly string[]): Promise<Ran>;
  /** What the router says of the route `support`. */
  router(): Promise<RouteView>;
  stop(): Promise<void>;
}

/** Runs one command in `directory` and keeps what it prints. */
export async function sluiceIn(
  directory: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
): Promise<Ran> {
  const out: string[] = [];
  const err: string[] = [];
  const io: Io = {
    env,
    cwd: directory,
    interactive: false,
    print: (text) => void out.push(text),
    note: (text) => void err.push(text),
    redraw: (text) => void out.push(text),
    confirm: () => Promise.resolve(false),
  };
  const exitCode = await run(args, io);
  return { exitCode, out: out.join('\n'), err: err.join('\n') };
}

/** Starts everything; two hundred answers of stable are in when it returns, so that thresholds have what they need. */
export async function startEmbedded(): Promise<Embedded> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-e2e-'));
  const stable = await startSampleEndpoint({
    model: 'llama-3.1-8b-instruct',
    seed: 1,
    behaviour: { latencyMedianMs: 30 },
  });
  const candidate = await startSampleEndpoint({
    model: 'llama-3.2-8b-instruct',
    seed: 2,
    behaviour: { latencyMedianMs: 30 },
  });
  const stack = await startDemoStack(join(directory, '.sluice'), { stable, candidate }, quietIo(directory));
  const traffic = startSampleTraffic({
    router: stack.up.router.url,
    route: 'support',
    behaviour: { requestsPerSecond: 100, abortShare: 0, ratedShare: 0 },
  });
  await untilServed(traffic, 250, 30_000);
  const config = parseConfigFile(stack.up.config);
  const token = readFileSync(stack.up.adminTokenFile, 'utf8').trim();
  const backend = createSluiceRouterBackend({ config: () => config, env: { [config.admin.tokenEnv]: token } });
  return {
    directory,
    stack,
    traffic,
    candidate,
    sluice: (...args) => sluiceIn(directory, args),
    router: () =>
      backend.readSplit(
        { address: stack.up.router.admin, tokenEnv: config.admin.tokenEnv },
        routeName('support'),
        AbortSignal.timeout(5_000),
      ),
    stop: async () => {
      await traffic.stop(2_000);
      await backend.close();
      await stack.stop();
      await Promise.all([stable.close(), candidate.close()]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function quietIo(cwd: string): Io {
  const nothing = (): void => {};
  return {
    env: process.env,
    cwd,
    interactive: false,
    print: nothing,
    note: nothing,
    redraw: nothing,
    confirm: () => Promise.resolve(false),
  };
}

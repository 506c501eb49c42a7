/** The embedded stack of the demo: two sample endpoints, router, worker, Temporal, all on free ports, in a fresh directory. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Io } from '../io.js';
import { freePort } from '../../temporal/free-port.js';
import { sampleConfig } from '../stack/sample-config.js';
import { startStack, type Stack } from '../stack/stack.js';

/** Base URLs with version path, and the models behind them. */
export interface DemoUpstreams {
  readonly stable: { readonly url: string; readonly model: string };
  readonly candidate: { readonly url: string; readonly model: string };
}

/**
 * @param directory emptied first: a demo never sees another demo's data
 */
export async function startDemoStack(directory: string, upstreams: DemoUpstreams, io: Io): Promise<Stack> {
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  const ports = {
    temporal: await freePort(),
    ui: await freePort(),
    router: await freePort(),
    admin: await freePort(),
  };
  const configPath = join(directory, 'sluice.yaml');
  writeFileSync(
    configPath,
    sampleConfig({
      routerPort: ports.router,
      adminPort: ports.admin,
      stableUrl: upstreams.stable.url,
      candidateUrl: upstreams.candidate.url,
      stableModel: upstreams.stable.model,
      candidateModel: upstreams.candidate.model,
    }),
  );
  return startStack({ directory, configPath, ports, env: io.env, note: (text) => io.note(text) });
}

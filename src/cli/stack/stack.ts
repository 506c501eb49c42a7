/** Everything embedded in one process tree: Temporal, one router, one worker. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startEmbeddedServer, type EmbeddedServer } from '../../temporal/embedded-server.js';
import type { UpFile } from '../workspace.js';
import { startChild, type Child } from './child.js';
import { ownSecret } from './own-secret.js';

export interface StackOptions {
  /** Data and logs; made when missing. */
  readonly directory: string;
  readonly configPath: string;
  /** All four decided before: a port of 0 is not allowed here. */
  readonly ports: { readonly temporal: number; readonly ui: number; readonly router: number; readonly admin: number };
  readonly env: NodeJS.ProcessEnv;
  /** Restarts and other events, one line each. */
  readonly note: (text: string) => void;
}

export interface Stack {
  readonly up: UpFile;
  readonly router: Child;
  readonly worker: Child;
  /** Stops Temporal and starts it again on its file and port, as an upgrade would. */
  restartTemporal(): Promise<void>;
  /** Worker, router, Temporal, in this order; nothing is left running. Safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts the three, waits until each serves, and writes `up.json` into the directory.
 * @throws what the part that failed says; the others are stopped again
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { directory, configPath, ports } = options;
  const logs = join(directory, 'logs');
  mkdirSync(logs, { recursive: true });
  const admin = ownSecret(directory, 'admin-token');
  const running: { stop(): Promise<void> }[] = [];
  const stop = async (): Promise<void> => {
    rmSync(join(directory, 'up.json'), { force: true });
    for (let part = running.pop(); part !== undefined; part = running.pop()) await part.stop();
  };
  try {
    const startTemporal = (): Promise<EmbeddedServer> =>
      startEmbeddedServer({
        databaseFile: join(directory, 'temporal.db'),
        logFile: join(logs, 'temporal.log'),
        port: ports.temporal,
        uiPort: ports.ui,
      });
    let temporal = await startTemporal();
    running.push({ stop: () => temporal.stop() });
    const restartTemporal = async (): Promise<void> => {
      await temporal.stop();
      temporal = await startTemporal();
    };
    const adminUrl = `http://127.0.0.1:${String(ports.admin)}`;
    const ledger = join(directory, 'ledger.db');
    const env = {
      ...options.env,
      SLUICE_ADMIN_TOKEN: admin.value,
      SLUICE_TOKEN_KEY: options.env['SLUICE_TOKEN_KEY'] ?? ownSecret(directory, 'token-key').value,
      TEMPORAL_ADDRESS: temporal.address,
      TEMPORAL_NAMESPACE: temporal.namespace,
    };
    const child = async (name: string, args: readonly string[]): Promise<Child> => {
      const started = await startChild({
        name,
        args,
        env,
        logFile: join(logs, `${name}.log`),
        onRestart: options.note,
      });
      running.push(started);
      return started;
    };
    const router = await child('router', [
      'router',
      '--config',
      configPath,
      '--state',
      join(directory, 'router'),
      '--listen',
      `127.0.0.1:${ports.router}`,
      '--admin-listen',
      `127.0.0.1:${ports.admin}`,
    ]);
    const worker = await child('worker', ['worker', '--config', configPath, '--fleet', adminUrl, '--ledger', ledger]);
    const up: UpFile = {
      version: 1,
      pid: process.pid,
      temporal: { address: temporal.address, namespace: temporal.namespace, ui: temporal.ui },
      router: { url: `http://127.0.0.1:${String(ports.router)}`, admin: adminUrl },
      config: configPath,
      ledger,
      logs,
      adminTokenFile: admin.path,
    };
    writeFileSync(join(directory, 'up.json'), `${JSON.stringify(up, null, 2)}\n`, { mode: 0o600 });
    return { up, router, worker, restartTemporal, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

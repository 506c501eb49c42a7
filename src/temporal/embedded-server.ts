/** The embedded Temporal: the dev server of the Temporal CLI on a SQLite file, started and stopped with us. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Connection, isGrpcServiceError } from '@temporalio/client';
import { SluiceError } from '../plan/failures.js';
import { resolveTemporalBinary } from './binaries.js';
import type { BinarySearch } from './binaries.js';
import { freePort } from './free-port.js';
import { searchAttributeFlags } from './search-attributes.js';

export interface EmbeddedServerOptions {
  /** SQLite file that keeps the rollouts; created with its directory. */
  readonly databaseFile: string;
  readonly logFile: string;
  /** 0 = any free port. */
  readonly port: number;
  /** 0 = any free port, null = no Web UI. */
  readonly uiPort: number | null;
  /** @default 'default' */
  readonly namespace?: string;
  /** `key=value` pairs with JSON values, such as `limit.historyCount.suggestContinueAsNew=20`. */
  readonly dynamicConfig?: readonly string[];
  readonly search?: BinarySearch;
  /** Time until it must serve, ms. @default 30000 */
  readonly startTimeoutMs?: number;
}

export interface EmbeddedServer {
  /** `127.0.0.1:<port>` */
  readonly address: string;
  readonly namespace: string;
  /** URL of the Web UI, or null. */
  readonly ui: string | null;
  readonly pid: number;
  /** Resolves when the process has ended, asked for or not. */
  readonly exited: Promise<void>;
  /** Ends it and waits for that; safe to call twice. */
  stop(): Promise<void>;
}

/**
 * Starts the dev server and waits until it serves the namespace.
 * @throws SluiceError `temporal-unreachable` when there is no program, when it ends early (with its last words) or does
 * not serve in time
 */
export async function startEmbeddedServer(options: EmbeddedServerOptions): Promise<EmbeddedServer> {
  const binary = findBinary(options.search);
  const namespace = options.namespace ?? 'default';
  const port = options.port === 0 ? await freePort() : options.port;
  const uiPort = options.uiPort === 0 ? await freePort() : options.uiPort;
  mkdirSync(dirname(options.databaseFile), { recursive: true });
  mkdirSync(dirname(options.logFile), { recursive: true });
  const log = openSync(options.logFile, 'a', 0o600);
  const child = spawn(binary, serverArguments(options, namespace, port, uiPort), {
    stdio: ['ignore', log, log],
    // Its own process group: Ctrl-C reaches us alone, and we end the worker before the server.
    detached: true,
  });
  closeSync(log);
  const exited = endOf(child);
  const killWithUs = (): void => void child.kill('SIGKILL');
  process.once('exit', killWithUs);
  const stop = async (): Promise<void> => {
    process.removeListener('exit', killWithUs);
    await end(child, exited);
  };
  const address = `127.0.0.1:${port}`;
  try {
    await serving(address, namespace, exited, options.startTimeoutMs ?? 30_000);
  } catch (error) {
    await stop();
    throw new SluiceError(
      'temporal-unreachable',
      `the Temporal server did not start at ${address}: ${error instanceof Error ? error.message : 'unknown reason'}${lastWords(options.logFile)}; its log is ${options.logFile}`,
      { cause: error },
    );
  }
  return {
    address,
    namespace,
    ui: uiPort === null ? null : `http://127.0.0.1:${uiPort}`,
    pid: child.pid ?? 0,
    exited,
    stop,
  };
}

function findBinary(search: BinarySearch | undefined): string {
  const { path } = resolveTemporalBinary('temporal', search);
  if (path !== null) return path;
  throw new SluiceError(
    'temporal-unreachable',
    'no Temporal program was found: run "npm run setup", or install the Temporal CLI on the PATH, or set TEMPORAL_CLI_PATH to it, or set TEMPORAL_ADDRESS to a Temporal that runs already',
  );
}

function serverArguments(
  options: EmbeddedServerOptions,
  namespace: string,
  port: number,
  uiPort: number | null,
): readonly string[] {
  return [
    'server',
    'start-dev',
    '--ip',
    '127.0.0.1',
    '--port',
    String(port),
    '--db-filename',
    options.databaseFile,
    '--namespace',
    namespace,
    ...(uiPort === null ? ['--headless'] : ['--ui-port', String(uiPort), '--ui-disable-news-fetch']),
    ...searchAttributeFlags().flatMap((flag) => ['--search-attribute', flag]),
    ...(options.dynamicConfig ?? []).flatMap((pair) => ['--dynamic-config-value', pair]),
  ];
}

async function serving(address: string, namespace: string, exited: Promise<void>, timeoutMs: number): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  const gone = exited.then(() => {
    throw new Error('it ended at once');
  });
  gone.catch(() => undefined);
  const connection = await Promise.race([
    gone,
    Connection.connect({
      address,
      connectTimeout: timeoutMs,
      channelArgs: { 'grpc.initial_reconnect_backoff_ms': 50, 'grpc.max_reconnect_backoff_ms': 200 },
    }),
  ]);
  try {
    // The server answers a moment before it has made its namespaces.
    while (!(await hasNamespace(connection, namespace, deadline))) await Promise.race([gone, delay(50)]);
  } finally {
    await connection.close();
  }
}

async function hasNamespace(connection: Connection, namespace: string, deadline: number): Promise<boolean> {
  try {
    await connection.withDeadline(deadline, () => connection.workflowService.describeNamespace({ namespace }));
    return true;
  } catch (error) {
    // Whatever it answers before the deadline may pass with the next attempt.
    if (isGrpcServiceError(error) && Date.now() < deadline) return false;
    throw error;
  }
}

function endOf(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
}

async function end(child: ChildProcess, exited: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return exited;
  child.kill('SIGTERM');
  const impatience = setTimeout(() => child.kill('SIGKILL'), 10_000);
  await exited;
  clearTimeout(impatience);
}

function lastWords(logFile: string): string {
  const text = readFileSync(logFile, 'utf8').trim();
  return text === '' ? '' : ` (${text.slice(-600)})`;
}

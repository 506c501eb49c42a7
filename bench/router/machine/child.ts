import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';

/** A server that the bench has started. */
export interface Child {
  readonly process: number;
  /** The first line that its standard output has for the pattern. Rejects when it ends before. */
  readonly line: (pattern: RegExp) => Promise<RegExpExecArray>;
  /** Null while it runs; then the end of what it said. */
  readonly ended: () => string | null;
  readonly stop: () => Promise<void>;
}

const SAID_LIMIT = 4_000;
const STOP_MS = 5_000;

export function startChild(
  [command = '', ...args]: readonly string[],
  options: { readonly cwd?: string; readonly env?: NodeJS.ProcessEnv } = {},
): Child {
  const child = spawn(command, args, {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  const listeners = new Set<() => void>();
  const hear = (chunk: Buffer): void => {
    said = (said + chunk.toString()).slice(-SAID_LIMIT);
    for (const listener of listeners) listener();
  };
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  child.on('error', (error) => hear(Buffer.from(error.message)));
  const exit = new Promise<void>((resolve) => {
    child.once('close', () => {
      resolve();
      for (const listener of listeners) listener();
    });
  });
  const ended = (): string | null => (hasEnded(child) ? said.trim() || 'it said nothing' : null);
  return {
    process: child.pid ?? 0,
    ended,
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const look = (): void => {
          const match = pattern.exec(said);
          if (match !== null) resolve(match);
          else if (hasEnded(child)) reject(new Error(`${command} ended: ${said.trim()}`));
          else return;
          listeners.delete(look);
        };
        listeners.add(look);
        look();
      }),
    stop: async () => {
      if (hasEnded(child)) return;
      child.kill('SIGTERM');
      await Promise.race([exit, wait(STOP_MS, undefined, { ref: false })]);
      if (!hasEnded(child)) child.kill('SIGKILL');
      await exit;
    },
  };
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined;
}

/** A port of 127.0.0.1 that nobody listens on. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

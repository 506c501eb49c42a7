/** A sluice command as a supervised child process: started, watched, restarted when it crashes, stopped in order. */
import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { packageRoot } from '../package-root.js';

const BIN = join(packageRoot(), 'bin', 'sluice.mjs');

const readyMessage = z.object({
  kind: z.literal('ready'),
  info: z.record(z.string(), z.union([z.string(), z.number()])),
});

export type ReadyInfo = z.infer<typeof readyMessage>['info'];

export interface ChildOptions {
  /** `router`, `worker`: named in errors and in the log. */
  readonly name: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly logFile: string;
  /** Called for each crash that leads to a restart. */
  readonly onRestart?: (why: string) => void;
}

export interface Child {
  readonly ready: ReadyInfo;
  pid(): number;
  /** SIGKILL, as a crash would; the supervisor starts it again. Resolves when the new one is ready. */
  killAndRestart(): Promise<void>;
  /** SIGTERM, then SIGKILL after ten seconds. */
  stop(): Promise<void>;
}

const RESTART_DELAY_MS = 250;
const STOP_GRACE_MS = 10_000;

/**
 * Resolves when the child says that it is ready.
 * @throws Error with the end of its log when it ends before that
 */
export async function startChild(options: ChildOptions): Promise<Child> {
  let stopping = false;
  let { process: current, ready } = await launch(options);
  let restarted: Promise<void> = Promise.resolve();

  const supervise = (child: ChildProcess): void => {
    child.once('exit', (code, signal) => {
      if (stopping) return;
      options.onRestart?.(`${options.name} ended (${signal ?? `exit ${String(code)}`}); starting it again`);
      restarted = restart();
    });
  };
  const restart = async (): Promise<void> => {
    while (!stopping) {
      await new Promise((resolve) => setTimeout(resolve, RESTART_DELAY_MS));
      try {
        const next = await launch(options);
        current = next.process;
        ready = next.ready;
        supervise(current);
        if (stopping) await end(current);
        return;
      } catch (error) {
        options.onRestart?.(error instanceof Error ? error.message : String(error));
      }
    }
  };
  supervise(current);

  return {
    get ready() {
      return ready;
    },
    pid: () => current.pid ?? 0,
    killAndRestart: async () => {
      const gone = once(current, 'exit');
      current.kill('SIGKILL');
      await gone;
      await restarted;
    },
    stop: async () => {
      stopping = true;
      await restarted;
      await end(current);
    },
  };
}

async function launch(options: ChildOptions): Promise<{ process: ChildProcess; ready: ReadyInfo }> {
  const log = createWriteStream(options.logFile, { flags: 'a' });
  const child = fork(BIN, [...options.args], {
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [],
    // Its own process group: Ctrl-C reaches us alone, and we stop our parts in order.
    detached: true,
  });
  let tail = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      log.write(text);
      tail = (tail + text).slice(-2_000);
    });
  }
  child.once('exit', () => log.end());
  const ready = await new Promise<ReadyInfo>((resolve, reject) => {
    child.on('message', (message) => {
      const parsed = readyMessage.safeParse(message);
      if (parsed.success) resolve(parsed.data.info);
    });
    child.once('error', reject);
    child.once('exit', (code, signal) => {
      reject(
        new Error(
          `${options.name} ended before it was ready (${signal ?? `exit ${String(code)}`}); its log is ${options.logFile}\n${tail}`,
        ),
      );
    });
  });
  return { process: child, ready };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS);
  await gone;
  clearTimeout(timer);
}

/** A real model served by llama.cpp's own HTTP server, as a child process. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, closeSync, constants, mkdirSync, openSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { request } from 'undici';
import { freePort } from '../../../temporal/free-port.js';
import { modelsError } from './models-error.js';
import type { RealPython } from './python.js';
import { realFile } from './real-files.js';
import type { ChatBody } from './real-prompts.js';
import { lastLines } from './run-program.js';

export interface RealModelOptions {
  readonly python: RealPython;
  /** Path of a GGUF file. */
  readonly model: string;
  /** The model name that it answers to. */
  readonly alias: string;
  /** Tokens of prompt and answer that each slot holds; a longer prompt is refused with 400. */
  readonly contextTokensPerSlot: number;
  /** Requests that it works on at once; more wait. */
  readonly slots: number;
  readonly threads: number;
  /** The core that it stays on, where `taskset` exists; null = any. */
  readonly cpu: number | null;
  /** Its output is added to this file. */
  readonly logFile: string;
  /** Called when it ends without having been stopped. */
  readonly onEnd?: (why: string) => void;
  /** Sent one after another before it counts as ready, so that its prompt cache is that of a server in use. */
  readonly warmUp?: readonly ChatBody[];
  /** How long it may take to load, 60 s by default. */
  readonly deadlineMs?: number;
  /** How long it may take to end after SIGTERM, 5 s by default. */
  readonly stopGraceMs?: number;
}

export interface RunningModel {
  /** `http://127.0.0.1:PORT/v1` */
  readonly url: string;
  readonly pid: number;
  /** SIGTERM, then SIGKILL; resolves when the process is gone. Safe to call twice. */
  stop(): Promise<void>;
}

const DEADLINE_MS = 60_000;
const POLL_MS = 100;
const STOP_GRACE_MS = 5_000;

/**
 * Starts a model on a free port of the loopback interface and waits until it answers. The server ends when this process
 * ends, however it does: it watches its standard input.
 * @throws SluiceError `models-unavailable` with the end of its log when it does not come up
 */
export async function startRealModel(options: RealModelOptions): Promise<RunningModel> {
  const { alias, logFile } = options;
  const port = await freePort();
  mkdirSync(dirname(logFile), { recursive: true });
  const child = launch(options, port);
  let stopping = false;
  const stop = async (): Promise<void> => {
    stopping = true;
    await end(child, options.stopGraceMs ?? STOP_GRACE_MS);
  };
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal ?? `exit ${String(code)}`));
  });
  const waiting = new AbortController();
  const problem = await Promise.race([
    untilHealthy(port, options.deadlineMs ?? DEADLINE_MS, waiting.signal),
    ended.then((why) => `ended before it was ready (${why})`),
  ]);
  waiting.abort();
  if (problem !== null) {
    await stop();
    throw modelsError(
      `the model server ${alias} ${problem}`,
      `its whole log is ${logFile}`,
      lastLines(readFileSync(logFile, 'utf8'), 12),
    );
  }
  void ended.then((why) => {
    if (!stopping) options.onEnd?.(`the model server ${alias} ended (${why}); its log is ${logFile}`);
  });
  const url = `http://127.0.0.1:${port}/v1`;
  for (const body of options.warmUp ?? []) await warm(url, alias, body);
  return { url, pid: child.pid ?? 0, stop };
}

/** An answer of any kind will do: a model whose context is too small says 400. */
async function warm(url: string, model: string, body: ChatBody): Promise<void> {
  try {
    const answer = await request(`${url}/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model, ...body }),
    });
    await answer.body.dump();
  } catch {
    // It has ended; `onEnd` says so.
  }
}

function launch(options: RealModelOptions, port: number): ChildProcess {
  const { python, model, alias, contextTokensPerSlot, slots, threads, cpu } = options;
  const command = [
    ...(cpu === null || !hasTaskset(python.env) ? [] : ['taskset', '--cpu-list', String(cpu)]),
    python.command,
    realFile('serve.py'),
    model,
    alias,
    `--port=${port}`,
    `--context=${contextTokensPerSlot}`,
    `--slots=${slots}`,
    `--threads=${threads}`,
  ];
  const log = openSync(options.logFile, 'a');
  const child = spawn(command[0] ?? '', command.slice(1), { env: python.env, stdio: ['pipe', log, log] });
  closeSync(log);
  // The pipe breaks when the server ends first, which `exit` tells already.
  child.stdin?.on('error', () => undefined);
  return child;
}

/** null when it answers, else what is wrong. */
async function untilHealthy(port: number, deadlineMs: number, signal: AbortSignal): Promise<string | null> {
  const deadline = Date.now() + deadlineMs;
  while (Date.now() < deadline && !signal.aborted) {
    try {
      const { statusCode, body } = await request(`http://127.0.0.1:${port}/health`, { headersTimeout: 1000 });
      await body.dump();
      if (statusCode === 200) return null;
    } catch {
      // Not listening yet.
    }
    await delay(POLL_MS);
  }
  return `did not answer within ${deadlineMs / 1000} s`;
}

async function end(child: ChildProcess, graceMs: number): Promise<void> {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await gone;
  clearTimeout(timer);
}

/** Only Linux has it; elsewhere the models share the cores as the system likes. */
function hasTaskset(env: NodeJS.ProcessEnv): boolean {
  return (env['PATH'] ?? '').split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, 'taskset'), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

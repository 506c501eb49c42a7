/** A user's own gate: a URL that answers 2xx, or a command that ends with 0. Never a shell. */
import { spawn } from 'node:child_process';
import { request } from 'undici';
import { withDeadline } from '../src/backends/deadline.js';
import type { CheckConfig } from '../src/plan/config.js';

export interface CheckOutcome {
  readonly pass: boolean;
  /** What happened, without URL, output or anything else that may hold a secret. */
  readonly why: string;
}

/** What a command finds in its environment besides the worker's own. */
export interface CheckSubject {
  readonly route: string;
  readonly rollout: string;
  readonly stage: string;
}

type RunnableCheck = Exclude<CheckConfig, { kind: 'workflow' }>;

/** Runs one check within its time. Rejects only when `signal` aborts. */
export async function runCheck(
  check: RunnableCheck,
  subject: CheckSubject,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<CheckOutcome> {
  const timeout = new Error(`not done within ${check.timeoutMs} ms`);
  return withDeadline(
    signal,
    check.timeoutMs,
    () => timeout,
    async (limited) => {
      const outcome = await (check.kind === 'url'
        ? callUrl(check.url, limited)
        : runCommand(check.command, subject, env, limited));
      signal.throwIfAborted();
      return limited.aborted ? { pass: false, why: timeout.message } : outcome;
    },
  );
}

async function callUrl(url: string, signal: AbortSignal): Promise<CheckOutcome> {
  try {
    const response = await request(url, { method: 'GET', signal });
    await response.body.dump();
    return { pass: response.statusCode >= 200 && response.statusCode < 300, why: `status ${response.statusCode}` };
  } catch (error) {
    const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'no answer';
    return { pass: false, why: code };
  }
}

function runCommand(
  command: readonly string[],
  subject: CheckSubject,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<CheckOutcome> {
  const [program, ...words] = command;
  if (program === undefined) return Promise.resolve({ pass: false, why: 'the command is empty' });
  return new Promise((resolve) => {
    const child = spawn(program, words, {
      shell: false,
      stdio: 'ignore',
      // A group of its own, so that its time limit ends what it started too.
      detached: true,
      env: {
        ...env,
        SLUICE_ROUTE: subject.route,
        SLUICE_ROLLOUT: subject.rollout,
        SLUICE_STAGE: subject.stage,
      },
    });
    const kill = (): void => killGroup(child.pid);
    signal.addEventListener('abort', kill, { once: true });
    if (signal.aborted) kill();
    child.once('error', (error) => {
      signal.removeEventListener('abort', kill);
      resolve({ pass: false, why: `it cannot be run: ${'code' in error ? String(error.code) : error.message}` });
    });
    child.once('exit', (code, killedBy) => {
      signal.removeEventListener('abort', kill);
      resolve({ pass: code === 0, why: code === null ? `ended by ${killedBy ?? 'a signal'}` : `exit ${code}` });
    });
  });
}

function killGroup(pid: number | undefined): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended by itself in the meantime.
  }
}

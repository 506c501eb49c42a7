import { execFile, spawn } from 'node:child_process';
import { promisify } from 'node:util';
import { z } from 'zod';
import type { Target } from './gateways/gateway.js';
import { nativeProgram } from './machine/native.js';
import type { Pinning } from './machine/pinning.js';
import { writeRequest } from './requests.js';
import type { RequestName } from './requests.js';

const execute = promisify(execFile);

const quantiles = z.object({ p50: z.number(), p99: z.number() }).nullable();
const report = z.object({
  requests: z.number(),
  failed: z.number(),
  otherStatus: z.number(),
  events: z.number(),
  seconds: z.number(),
  latencyUs: quantiles,
  ttftUs: quantiles,
});

/** What the load generator counted. */
export type LoadReport = z.infer<typeof report>;

export interface Load {
  readonly target: Target;
  readonly request: RequestName;
  readonly connections: number;
  readonly milliseconds: number;
  readonly seed: number;
}

/** Runs the load generator: a closed loop. Rejects when the target cannot be reached. */
export async function runLoad(pinning: Pinning, load: Load): Promise<LoadReport> {
  const path = writeRequest(load.request, load.target);
  const numbers = [load.connections, load.milliseconds, load.seed].map(String);
  const [command = '', ...args] = pinning.command('rest', [
    nativeProgram('load'),
    String(load.target.port),
    path,
    ...numbers,
  ]);
  const { stdout } = await execute(command, args);
  return report.parse(JSON.parse(stdout));
}

/** Opens streams that have begun and say no more, calls `work` while they stand, and closes them. */
export async function whileStreamsIdle<T>(
  pinning: Pinning,
  target: Target,
  streams: number,
  work: () => Promise<T>,
): Promise<T> {
  const path = writeRequest('idle', target);
  const run = [nativeProgram('load'), String(target.port), path, String(streams), 'hold', '1'];
  const [command = '', ...args] = pinning.command('rest', run);
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  try {
    await new Promise<void>((resolve, reject) => {
      child.stdout.once('data', () => resolve());
      child.once('close', () => reject(new Error(`${target.name} did not hold ${streams} streams`)));
    });
    return await work();
  } finally {
    child.stdin.end();
    await ended;
  }
}

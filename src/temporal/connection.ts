/** A client's connection that fails fast and says what it tried. The worker's own is in worker-connection.ts. */
import { Connection, defaultGrpcRetryOptions, makeGrpcRetryInterceptor } from '@temporalio/client';
import type { ConnectionOptions, GrpcRetryOptions } from '@temporalio/client';
import { SluiceError } from '../plan/failures.js';
import { describeTarget } from './target.js';
import type { TemporalTarget } from './target.js';

/** Commands end within 5 s when Temporal does not answer. */
const CONNECT_TIMEOUT_MS = 3_000;

/** The SDK waits up to 5 s before it repeats a refused call, whatever its deadline: a command would answer that much later. */
const LONGEST_RETRY_DELAY_MS = 500;

/**
 * Connects, or fails within `timeoutMs`.
 * @throws SluiceError `temporal-unreachable` naming the target and where its address came from, without secrets
 */
export async function connectClient(
  target: TemporalTarget,
  timeoutMs: number = CONNECT_TIMEOUT_MS,
): Promise<Connection> {
  try {
    return await Connection.connect(clientOptions(target, timeoutMs));
  } catch (error) {
    throw unreachable(target, error);
  }
}

/** The failure of a target that does not answer. */
export function unreachable(target: TemporalTarget, error: unknown): SluiceError {
  return new SluiceError(
    'temporal-unreachable',
    `Temporal does not answer at ${describeTarget(target)}: ${reasonOf(error)}; ${nextStep(target)}`,
    { cause: error },
  );
}

function clientOptions(target: TemporalTarget, timeoutMs: number): ConnectionOptions {
  return {
    address: target.address,
    ...target.connection,
    connectTimeout: timeoutMs,
    interceptors: [makeGrpcRetryInterceptor(promptRetries())],
    // A server that is just starting is found within a tenth of a second of listening.
    channelArgs: { 'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 1_000 },
  };
}

function promptRetries(): GrpcRetryOptions {
  const usual = defaultGrpcRetryOptions();
  return {
    ...usual,
    delayFunction: (attempt, status) => Math.min(LONGEST_RETRY_DELAY_MS, usual.delayFunction(attempt, status)),
  };
}

function nextStep(target: TemporalTarget): string {
  switch (target.origin) {
    case 'default':
      return 'start everything with "sluice up", or set TEMPORAL_ADDRESS';
    case '.sluice/up.json':
      return 'start "sluice up" again, or delete .sluice/up.json';
    case 'profile':
      return 'correct the address in the Temporal profile, or set TEMPORAL_ADDRESS';
    case 'TEMPORAL_ADDRESS':
    case 'flag --address':
      return 'check the address, and TLS and key if the server asks for them';
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown reason';
  return /deadline|timed? ?out/i.test(error.message) ? 'no answer in time' : error.message;
}

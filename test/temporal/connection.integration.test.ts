import { createServer } from 'node:net';
import { once } from 'node:events';
import { Connection } from '@temporalio/client';
import { describe, expect, inject, it } from 'vitest';
import { SluiceError } from '../../src/plan/failures.js';
import { connectClient } from '../../src/temporal/connection.js';
import { resolveTemporalTarget } from '../../src/temporal/target.js';
import { checkSearchAttributes, registerSearchAttributes } from '../../src/temporal/search-attributes.js';
import { pollersOf } from '../../src/temporal/task-queue.js';

const env = { TEMPORAL_CONFIG_FILE: '/nowhere/temporal.toml' };

async function failureOf(promise: Promise<unknown>): Promise<SluiceError> {
  const error: unknown = await promise.then(
    () => null,
    (reason: unknown) => reason,
  );
  if (error instanceof SluiceError) return error;
  throw new Error('no SluiceError was thrown', { cause: error });
}

describe('connectClient', () => {
  it('reaches a server by its address alone', async () => {
    const target = resolveTemporalTarget({ options: { address: inject('temporalAddress') }, env });
    const connection = await connectClient(target);
    await expect(connection.workflowService.getSystemInfo({})).resolves.toBeDefined();
    await connection.close();
  });

  it('fails within 5 s where nobody listens, and names the target and its origin', async () => {
    const target = resolveTemporalTarget({ env: { ...env, TEMPORAL_ADDRESS: '127.0.0.1:1' } });
    const startedAt = performance.now();
    const failure = await failureOf(connectClient(target));
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    expect(failure.code).toBe('temporal-unreachable');
    expect(failure.message).toContain('127.0.0.1:1 (from TEMPORAL_ADDRESS), namespace default');
  });

  it('fails within 5 s where somebody listens and says nothing, and keeps the key to itself', async () => {
    const silent = createServer(() => undefined).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const bound = silent.address();
    if (bound === null || typeof bound === 'string') throw new Error('no port');
    const target = resolveTemporalTarget({
      options: { address: `127.0.0.1:${bound.port}`, apiKey: 'very-secret-key' },
      env,
    });
    const startedAt = performance.now();
    const failure = await failureOf(connectClient(target));
    expect(performance.now() - startedAt).toBeLessThan(5_000);
    silent.close();
    expect(failure.code).toBe('temporal-unreachable');
    expect(`${failure.message} ${failure.stack ?? ''}`).not.toContain('very-secret-key');
  });
});

it('registers the search attributes that are missing, and then finds them all', async () => {
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  try {
    await registerSearchAttributes(connection, 'default');
    await expect(checkSearchAttributes(connection, 'default')).resolves.toEqual({
      registered: true,
      missing: [],
      wrongType: [],
    });
  } finally {
    await connection.close();
  }
});

it('sees that nobody polls a queue', async () => {
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  try {
    await expect(pollersOf(connection, 'default', 'a-queue-that-nobody-polls')).resolves.toEqual([]);
  } finally {
    await connection.close();
  }
});

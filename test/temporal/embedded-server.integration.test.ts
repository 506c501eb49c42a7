import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SluiceError } from '../../src/plan/failures.js';
import { startEmbeddedServer } from '../../src/temporal/embedded-server.js';
import type { EmbeddedServerOptions } from '../../src/temporal/embedded-server.js';
import { checkSearchAttributes } from '../../src/temporal/search-attributes.js';

let directory: string;
let options: EmbeddedServerOptions;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-temporal-'));
  options = {
    databaseFile: join(directory, 'data', 'temporal.db'),
    logFile: join(directory, 'logs', 'temporal.log'),
    port: 0,
    uiPort: null,
  };
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe('startEmbeddedServer', () => {
  it('serves with the search attributes, keeps workflows over a restart, and leaves no process', async () => {
    const first = await startEmbeddedServer(options);
    const before = await Connection.connect({ address: first.address });
    await expect(checkSearchAttributes(before, 'default')).resolves.toMatchObject({ registered: true });
    await new Client({ connection: before }).workflow.start('rollout', {
      taskQueue: 'none',
      workflowId: 'kept',
      args: [],
    });
    await before.close();
    await first.stop();
    await first.stop();
    expect(isAlive(first.pid)).toBe(false);

    const second = await startEmbeddedServer(options);
    const after = await Connection.connect({ address: second.address });
    const kept = await new Client({ connection: after }).workflow.getHandle('kept').describe();
    expect(kept.status.name).toBe('RUNNING');
    await after.close();
    await second.stop();
    expect(isAlive(second.pid)).toBe(false);
  });

  it('serves the Web UI where it is asked to', async () => {
    const server = await startEmbeddedServer({ ...options, uiPort: 0 });
    const page = await fetch(`${server.ui ?? ''}/`);
    expect(page.status).toBe(200);
    await page.text();
    await server.stop();
  });

  it('says why it did not start', async () => {
    const holder = createServer().listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const bound = holder.address();
    if (bound === null || typeof bound === 'string') throw new Error('no port');
    const attempt = startEmbeddedServer({ ...options, port: bound.port });
    await expect(attempt).rejects.toThrow(/address already in use|it ended at once/);
    holder.close();
    expect(readFileSync(options.logFile, 'utf8')).not.toBe('');
  });

  it('says what to do where there is no program', async () => {
    const attempt = startEmbeddedServer({ ...options, search: { env: { PATH: '' }, directories: [directory] } });
    await expect(attempt).rejects.toThrow(SluiceError);
    await expect(attempt).rejects.toThrow('npm run setup');
  });
});

import { existsSync } from 'node:fs';
import { Connection } from '@temporalio/client';
import { expect, inject, it } from 'vitest';

it('gives every integration test one running Temporal server', async () => {
  const connection = await Connection.connect({ address: inject('temporalAddress') });
  try {
    const { serverVersion } = await connection.workflowService.getSystemInfo({});
    expect(serverVersion).toMatch(/^\d+\./);
  } finally {
    await connection.close();
  }
});

it('gives every integration test the bundled workflows', () => {
  const path = inject('workflowBundlePath');
  expect(path === null || existsSync(path)).toBe(true);
});

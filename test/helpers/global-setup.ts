import { TestWorkflowEnvironment } from '@temporalio/testing';
import type { TestProject } from 'vitest/node';
import { startPostgres } from './postgres-server.js';
import { devServerExecutable } from './tools.js';
import { bundleWorkflows } from './workflow-bundle.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** Address of the one Temporal dev server that all integration tests share. */
    temporalAddress: string;
    /** Path of the bundled workflows, or null while there is no workflow. */
    workflowBundlePath: string | null;
    /** Address of the one Postgres that all integration tests share; each makes a database of its own. */
    postgresUrl: string;
  }
}

/**
 * Runs once before the integration tests. Dev servers that start in parallel race for ports, and bundling takes
 * seconds: each is done once, and tests keep apart by task queue and workflow id.
 */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const [environment, bundle, postgres] = await Promise.all([
    TestWorkflowEnvironment.createLocal({ server: { executable: devServerExecutable() } }),
    bundleWorkflows(),
    startPostgres(),
  ]);
  project.provide('temporalAddress', environment.address);
  project.provide('workflowBundlePath', bundle?.path ?? null);
  project.provide('postgresUrl', postgres.url);
  return async () => {
    bundle?.remove();
    await Promise.all([environment.teardown(), postgres.stop()]);
  };
}

import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode } from '@temporalio/worker';

const entry = fileURLToPath(new URL('../../workflows/index.ts', import.meta.url));

/**
 * Bundles the workflows from their source into a file, for `Worker.create({ workflowBundle: { codePath } })`.
 * Null while there is no workflow. The caller deletes the directory.
 */
export async function bundleWorkflows(): Promise<{ path: string; remove: () => void } | null> {
  if (!existsSync(entry)) return null;
  const errors: string[] = [];
  const ignore = (): void => {};
  const logger = {
    log: ignore,
    trace: ignore,
    debug: ignore,
    info: ignore,
    warn: ignore,
    error: (message: string): void => {
      errors.push(message);
    },
  };
  try {
    const { code } = await bundleWorkflowCode({ workflowsPath: entry, logger });
    const directory = mkdtempSync(join(tmpdir(), 'sluice-workflows-'));
    const path = join(directory, 'workflow-bundle.js');
    writeFileSync(path, code);
    return { path, remove: () => rmSync(directory, { recursive: true, force: true }) };
  } catch (cause) {
    throw new Error(`the workflows do not bundle:\n${errors.join('\n')}`, { cause });
  }
}

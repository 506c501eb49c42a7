/**
 * Makes a checkout ready: the npm dependencies, the Temporal CLI and Temporal's test server. Plain Node without a
 * dependency, because it is the first thing that runs in a fresh clone.
 */
import { realpathSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { dependenciesFresh, installDependencies } from './setup/dependencies.mjs';
import { withLock } from './setup/lock.mjs';
import { inRoot } from './setup/root.mjs';
import { runMain, say, SetupError } from './setup/say.mjs';
import { provideTools, toolsFresh } from './setup/temporal-tools.mjs';

/**
 * Does what is missing and says so; says and does nothing when nothing is.
 *
 * @param {{ retry?: boolean }} [options] `retry` asks again for what could not be had the last time
 * @returns {Promise<boolean>} whether there was anything to do
 */
export async function ensureSetup({ retry = false } = {}) {
  requireNode();
  if (dependenciesFresh() && toolsFresh(retry)) return false;
  await withLock(inRoot('.sluice', 'setup.lock'), 'set-up', async () => {
    // The network is the bottleneck of the one, the disk that of the other. Both end before the lock is let go.
    const steps = await Promise.allSettled([
      dependenciesFresh() ? undefined : installDependencies(),
      toolsFresh(retry) ? undefined : provideTools(),
    ]);
    for (const step of steps) if (step.status === 'rejected') throw step.reason;
  });
  return true;
}

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  throw new SetupError(`Node.js ${process.versions.node} is too old: sluice needs 20.19 or later.`);
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await runMain(async () => {
    const worked = await ensureSetup({ retry: true });
    say(worked ? 'set-up done' : 'set-up is complete, nothing to do');
  });
}

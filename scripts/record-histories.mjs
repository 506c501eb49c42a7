/**
 * Records histories of rollouts into test/replay/histories, once for each version that people may have running. Only when a
 * change of the workflows is meant to break replay may a recorded version be recorded again.
 */
import { ensureSetup } from './setup.mjs';
import { inRoot, root } from './setup/root.mjs';
import { run, tail } from './setup/run.mjs';
import { runMain, say, SetupError } from './setup/say.mjs';

await runMain(async () => {
  await ensureSetup();
  const args = [inRoot('node_modules', 'vitest', 'vitest.mjs'), 'run', '--config', 'test/replay/vitest.config.ts'];
  const { code, output } = await run(process.execPath, args, { cwd: root });
  if (code !== 0) throw new SetupError(`the histories were not recorded:\n${tail(output, 40)}`);
  say('recorded into test/replay/histories: look at the difference, run the replay test, then commit');
});

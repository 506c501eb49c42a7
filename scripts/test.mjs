/** Runs vitest after the set-up, so that it works as the first command in a fresh clone. Arguments go to vitest. */
import { spawn } from 'node:child_process';
import { ensureSetup } from './setup.mjs';
import { inRoot, root } from './setup/root.mjs';
import { runMain } from './setup/say.mjs';

await runMain(async () => {
  await ensureSetup();
  const vitest = inRoot('node_modules', 'vitest', 'vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', ...process.argv.slice(2)], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  // Ctrl-C reaches the whole process group: vitest ends by itself and this process reports how.
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.exitCode = await new Promise((resolve) => {
    child.on('close', (code) => {
      resolve(code ?? 1);
    });
  });
});

/**
 * Throws mutated and random bytes at a router of its own: `npm run fuzz -- --seconds 60 --seed 7`, and `--case 12` for one
 * case of a seed alone, again and again.
 */
import { spawn } from 'node:child_process';
import { parseArgs } from 'node:util';
import { ensureSetup } from './setup.mjs';
import { inRoot, root } from './setup/root.mjs';
import { runMain, say, SetupError } from './setup/say.mjs';

const DEFAULT_SECONDS = '60';

await runMain(async () => {
  const { values } = parseArgs({
    options: { seconds: { type: 'string' }, seed: { type: 'string' }, case: { type: 'string' } },
  });
  for (const [name, value] of Object.entries(values))
    if (!/^\d{1,9}$/.test(value))
      throw new SetupError(`--${name}: "${value}" is no whole number; write one such as 60`);
  await ensureSetup();
  const { seconds = DEFAULT_SECONDS, seed = String(Date.now() % 1_000_000_000) } = values;
  say(`fuzz: ${seconds} s with --seed ${seed}`);
  const vitest = inRoot('node_modules', 'vitest', 'vitest.mjs');
  const child = spawn(process.execPath, [vitest, 'run', '--project', 'unit', 'test/router/fuzz'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...process.env,
      SLUICE_FUZZ_SECONDS: seconds,
      SLUICE_FUZZ_SEED: seed,
      ...(values.case !== undefined && { SLUICE_FUZZ_CASE: values.case }),
    },
  });
  process.on('SIGINT', () => {});
  process.on('SIGTERM', () => child.kill('SIGTERM'));
  process.exitCode = await new Promise((resolve) => {
    child.on('close', (code) => {
      resolve(code ?? 1);
    });
  });
});

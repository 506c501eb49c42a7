/** Compiles bench/statistics beside the build and runs it: `npm run bench:statistics -- --help`. */
import { pathToFileURL } from 'node:url';
import { ensureSetup } from './setup.mjs';
import { inRoot, root } from './setup/root.mjs';
import { run, tail } from './setup/run.mjs';
import { runMain, SetupError } from './setup/say.mjs';

await runMain(async () => {
  await ensureSetup();
  const compiler = inRoot('node_modules', 'typescript', 'bin', 'tsc');
  const { code, output } = await run(process.execPath, [compiler, '--project', 'tsconfig.bench.json'], { cwd: root });
  if (code !== 0) throw new SetupError(`the bench does not compile:\n${tail(output, 30)}`);
  // Named at run time only: it does not exist before the compiler has run.
  await import(pathToFileURL(inRoot('dist', '.bench', 'bench', 'statistics', 'main.js')).href);
});

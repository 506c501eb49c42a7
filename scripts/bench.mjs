/** Compiles the benches beside the build and runs one: `npm run bench:statistics -- --help`, `npm run bench:rebuild`. */
import { pathToFileURL } from 'node:url';
import { ensureSetup } from './setup.mjs';
import { inRoot, root } from './setup/root.mjs';
import { run, tail } from './setup/run.mjs';
import { runMain, SetupError } from './setup/say.mjs';

/** The bench reads the rest by itself. */
const [name] = process.argv.splice(2, 1);

await runMain(async () => {
  if (name === undefined) throw new SetupError('name a directory of bench/, such as statistics');
  await ensureSetup();
  const compiler = inRoot('node_modules', 'typescript', 'bin', 'tsc');
  const { code, output } = await run(process.execPath, [compiler, '--project', 'tsconfig.bench.json'], { cwd: root });
  if (code !== 0) throw new SetupError(`the bench does not compile:\n${tail(output, 30)}`);
  // Named at run time only: it does not exist before the compiler has run.
  await import(pathToFileURL(inRoot('dist', '.bench', 'bench', name, 'main.js')).href);
});

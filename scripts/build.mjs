/**
 * Compiles the sources into dist/ and makes the workflow bundle that the worker loads. Does nothing when nothing has
 * changed.
 */
import { existsSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { bundledFilesDigest, removeOrphans, sourcesDigest } from './build/sources.mjs';
import { ensureSetup } from './setup.mjs';
import { withLock } from './setup/lock.mjs';
import { inRoot, root } from './setup/root.mjs';
import { run, tail } from './setup/run.mjs';
import { runMain, say, SetupError, withProgress } from './setup/say.mjs';

const sourcesStamp = inRoot('dist', '.sources');
const bundlePath = inRoot('dist', 'workflow-bundle.js');
const bundleStamp = inRoot('dist', '.workflow-bundle');

/**
 * @returns {Promise<boolean>} whether there was anything to do
 */
export async function ensureBuild() {
  if (readStamp(sourcesStamp) === sourcesDigest()) return false;
  await withLock(inRoot('.sluice', 'build.lock'), 'build', build);
  return true;
}

async function build() {
  // Taken before compiling: a file that is saved meanwhile makes the next command build again.
  const digest = sourcesDigest();
  if (readStamp(sourcesStamp) === digest) return;
  const started = Date.now();
  mkdirSync(inRoot('dist'), { recursive: true });
  await compile();
  removeOrphans();
  await bundleWorkflows();
  writeFileSync(sourcesStamp, digest);
  say(`built in ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

async function compile() {
  say('compiling');
  const compiler = inRoot('node_modules', 'typescript', 'bin', 'tsc');
  const args = [compiler, '--project', 'tsconfig.build.json'];
  const result = await withProgress('compiling', async () => run(process.execPath, args, { cwd: root }));
  if (result.code === 0) return;
  // The first errors are the causes, the rest mostly follow from them.
  const firstLines = result.output.split('\n').slice(0, 30).join('\n');
  throw new SetupError(`the sources do not compile:\n${tail(firstLines, 30)}`);
}

async function bundleWorkflows() {
  const entry = inRoot('dist', 'workflows', 'index.js');
  if (!existsSync(entry)) {
    say('there is no workflows/index.ts, so no workflow bundle is made');
    return;
  }
  const { bundleWorkflowCode } = await import('@temporalio/worker');
  const { version } = JSON.parse(readFileSync(inRoot('node_modules', '@temporalio', 'worker', 'package.json'), 'utf8'));
  // The bundle must come from the very SDK version that the worker runs.
  const digest = `${version} ${bundledFilesDigest(entry)}`;
  if (existsSync(bundlePath) && readStamp(bundleStamp) === digest) return;
  say('bundling the workflows');
  const quiet = () => {};
  const logger = { log: quiet, trace: quiet, debug: quiet, info: quiet, warn: quiet, error: say };
  const { code } = await bundleWorkflowCode({ workflowsPath: entry, logger });
  rmSync(bundleStamp, { force: true });
  writeFileSync(bundlePath, code);
  writeFileSync(bundleStamp, digest);
}

/** @returns {string | null} */
function readStamp(/** @type {string} */ path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  await runMain(async () => {
    await ensureSetup();
    if (!(await ensureBuild())) say('dist is up to date');
  });
}

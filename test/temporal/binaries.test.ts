import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { resolveTemporalBinary, temporalExecutable } from '../../src/temporal/binaries.js';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-binaries-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function program(...parts: string[]): string {
  const path = join(directory, ...parts);
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, '#!/bin/sh\n');
  chmodSync(path, 0o755);
  return path;
}

function provide(tools: unknown): void {
  mkdirSync(join(directory, '.sluice'), { recursive: true });
  writeFileSync(join(directory, '.sluice', 'tools.json'), JSON.stringify(tools));
}

describe('resolveTemporalBinary', () => {
  it('prefers the environment, then the PATH, then the set-up', () => {
    const own = program('own', 'my-temporal');
    const onPath = program('path', 'temporal');
    const provided = program('provided', 'temporal');
    provide({ temporalCli: provided, temporalTestServer: null });
    const PATH = join(directory, 'path');
    const directories = [join(directory, 'some', 'project')];

    const withAll = { env: { TEMPORAL_CLI_PATH: own, PATH }, directories };
    expect(resolveTemporalBinary('temporal', withAll)).toEqual({ from: 'environment', path: own });
    expect(resolveTemporalBinary('temporal', { env: { PATH }, directories })).toEqual({ from: 'path', path: onPath });
    expect(resolveTemporalBinary('temporal', { env: {}, directories })).toEqual({ from: 'setup', path: provided });
  });

  it('leaves the download to the SDK when nothing is there', () => {
    provide({ temporalCli: join(directory, 'gone'), temporalTestServer: null });
    const search = { env: { TEMPORAL_CLI_PATH: '', PATH: join(directory, 'empty') }, directories: [directory] };
    expect(resolveTemporalBinary('temporal', search)).toEqual({ from: 'download', path: null });
    expect(temporalExecutable('temporal-test-server', search)).toEqual({ type: 'cached-download' });
  });

  it('refuses a variable that names no program', () => {
    const env = { TEMPORAL_TEST_SERVER_PATH: join(directory, 'nothing') };
    expect(() => resolveTemporalBinary('temporal-test-server', { env })).toThrow(
      /TEMPORAL_TEST_SERVER_PATH is .*nothing/,
    );
  });

  it('takes a directory for no program', () => {
    mkdirSync(join(directory, 'path', 'temporal'), { recursive: true });
    const search = { env: { PATH: join(directory, 'path') }, directories: [directory] };
    expect(resolveTemporalBinary('temporal', search).from).toBe('download');
  });
});

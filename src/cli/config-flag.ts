import type { Command } from 'commander';
import { SluiceError } from '../plan/failures.js';
import type { SluiceConfig } from '../plan/config.js';
import { parseConfigFile } from '../plan/config-file.js';
import type { Io } from './io.js';
import { findConfig } from './workspace.js';

export interface ConfigFlag {
  readonly config?: string;
}

export function addConfigFlag(command: Command): Command {
  return command.option(
    '--config <file>',
    'sluice.yaml (default: SLUICE_CONFIG, a running sluice up, the nearest upward)',
  );
}

/** @throws SluiceError `config-invalid` when there is none, or with every problem in it */
export function requireConfig(flag: ConfigFlag, io: Io): { readonly path: string; readonly config: SluiceConfig } {
  const path = findConfig(flag.config, io.env, io.cwd);
  if (path === null) {
    throw new SluiceError(
      'config-invalid',
      `no sluice.yaml in ${io.cwd} or above it; sluice up writes one, or name it with --config`,
    );
  }
  return { path, config: parseConfigFile(path) };
}

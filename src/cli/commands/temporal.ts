import { spawn } from 'node:child_process';
import { SluiceError } from '../../plan/failures.js';
import { resolveTemporalBinary } from '../../temporal/binaries.js';
import { EXIT } from '../exit-codes.js';
import type { Register } from '../program.js';
import { findUpFile } from '../workspace.js';

/** `sluice temporal -- ARGS`: the Temporal CLI that sluice uses, with the address and namespace of a running `up` set. */
export const registerTemporal: Register = (program, io, result) => {
  program
    .command('temporal')
    .description('Run the Temporal CLI with address and namespace set: sluice temporal -- workflow list')
    .argument('[args...]', 'arguments of the Temporal CLI, after --')
    .allowUnknownOption()
    .helpOption(false)
    .action(async (args: readonly string[]) => {
      const { path } = resolveTemporalBinary('temporal', { env: io.env });
      if (path === null) {
        throw new SluiceError(
          'temporal-unreachable',
          'no Temporal CLI: put temporal on the PATH, name it in TEMPORAL_CLI_PATH, or run npm run setup',
        );
      }
      const up = findUpFile(io.cwd);
      // What a person has set comes first, as in every command.
      const found =
        up === null ? {} : { TEMPORAL_ADDRESS: up.temporal.address, TEMPORAL_NAMESPACE: up.temporal.namespace };
      const child = spawn(path, [...args], { stdio: 'inherit', env: { ...found, ...io.env } });
      result.exitCode = await new Promise<number>((resolve, reject) => {
        child.once('error', reject);
        child.once('exit', (code) => resolve(code ?? EXIT.error));
      });
    });
};

import type { Register } from '../program.js';
import { parseRate } from '../rate-flag.js';
import { runUp } from '../up.js';

export interface UpFlags {
  readonly freePorts?: true;
  /** Requests per second of sample traffic. */
  readonly traffic?: number;
  readonly config?: string;
}

/** `sluice up`: everything embedded, until Ctrl-C. */
export const registerUp: Register = (program, io) => {
  program
    .command('up')
    .description(
      'Run everything here: Temporal with its Web UI, router, worker, ledger; sample endpoints when there is no sluice.yaml.',
    )
    .option('--free-ports', 'take free ports instead of 7233, 8233, 8700, 8701')
    .option('--traffic <rate>', 'send sample traffic, such as 20/s', parseRate)
    .option('--config <file>', 'sluice.yaml (default: the nearest upward; one is written when there is none)')
    .action((flags: UpFlags) => runUp(flags, io));
};

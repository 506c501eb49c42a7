import type { RolloutStatus } from '../../plan/status.js';
import { addConfigFlag, type ConfigFlag } from '../config-flag.js';
import { colour, formatShare, pad } from '../format.js';
import { listRollouts, type RolloutListing } from '../list-rollouts.js';
import type { Register } from '../program.js';
import { readStatus } from '../read-status.js';
import { addConnectionFlags, openSession, type ConnectionFlags } from '../session.js';

interface ListFlags extends ConnectionFlags, ConfigFlag {
  readonly all?: true;
  readonly json?: true;
}

type Row = RolloutListing & { readonly status: RolloutStatus | null };

/** `sluice list`: the rollouts that run, or with --all every one that Temporal still knows. */
export const registerList: Register = (program, io) => {
  const command = program
    .command('list')
    .description('List rollouts.')
    .option('--all', 'ended ones too, as far as Temporal keeps them')
    .option('--json', 'print one JSON value');
  addConfigFlag(addConnectionFlags(command)).action(async (flags: ListFlags) => {
    const session = await openSession(flags, io);
    try {
      const listings = await listRollouts(session.client, { all: flags.all === true });
      const rows: Row[] = await Promise.all(
        listings.map(async (listing) => ({
          ...listing,
          status: listing.execution === 'running' ? await readStatus(session, io, listing.route, flags) : null,
        })),
      );
      if (flags.json === true) io.print(JSON.stringify(rows));
      else io.print(rows.length === 0 ? `no rollout is running on ${session.target}` : rows.map(line).join('\n'));
    } finally {
      await session.close();
    }
  });
};

function line({ route, execution, startedAt, status }: Row): string {
  const state = status?.state ?? execution;
  const stage = status === null ? '' : `${status.stage.name} ${formatShare(status.split.weights.candidate)}`;
  return `${pad(colour.bold(route), 28)}${pad(state, 14)}${pad(stage, 20)}${colour.dim(startedAt)}`;
}

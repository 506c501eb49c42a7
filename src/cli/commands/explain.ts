import type { Look } from '../../evidence/look.js';
import type { Ledger, RolloutRow } from '../../ledger/ledger.js';
import { SluiceError } from '../../plan/failures.js';
import { routeName } from '../../plan/ids.js';
import type { RouteName } from '../../plan/ids.js';
import { addConfigFlag } from '../config-flag.js';
import type { ConfigFlag } from '../config-flag.js';
import { EXIT } from '../exit-codes.js';
import { explain } from '../explain/explanation.js';
import type { Explanation } from '../explain/explanation.js';
import { recomputeLook } from '../explain/recompute-look.js';
import type { Io } from '../io.js';
import { ledgerPath, openLedgerOf } from '../ledger-of.js';
import type { Register } from '../program.js';

interface ExplainFlags extends ConfigFlag {
  readonly look?: string;
  readonly json?: true;
}

/** A rebuild that takes longer says what it does. */
const SILENT_MS = 2_000;
const LOOKS_NAMED = 5;

/**
 * `sluice explain ROUTE`: from the ledger alone. Exits 1 when a look that was asked for is not what its evidence gives.
 */
export const registerExplain: Register = (program, io, result) => {
  const command = program
    .command('explain')
    .description('Say why a rollout stands where it stands: each number, and what would change it.')
    .argument('<route>', 'route of the rollout')
    .option('--look <id>', 'a past look, computed again from the evidence in the ledger; last is the newest')
    .option('--json', 'print one JSON value');
  addConfigFlag(command).action(async (route: string, flags: ExplainFlags) => {
    const explanation = await explanationOf(routeName(route), flags, io);
    io.print(flags.json === true ? JSON.stringify(explanation) : explanation.sentences.join('\n'));
    if (explanation.recomputed?.equal === false) result.exitCode = EXIT.error;
  });
};

async function explanationOf(route: RouteName, flags: ExplainFlags, io: Io): Promise<Explanation> {
  const ledger = await openLedgerOf(io, flags);
  if (ledger === null) {
    throw new SluiceError(
      'rollout-unknown',
      `there is no ledger at ${ledgerPath(io, flags)}: name sluice.yaml with --config, or the database in SLUICE_DATABASE_URL`,
    );
  }
  try {
    return await explainFrom(ledger, route, flags, io);
  } finally {
    await ledger.close();
  }
}

async function explainFrom(ledger: Ledger, route: RouteName, flags: ExplainFlags, io: Io): Promise<Explanation> {
  const [newest] = await ledger.rollouts(route, 1);
  if (newest === undefined) throw new SluiceError('rollout-unknown', `the ledger has no rollout of ${route}`);
  const last = await ledger.lastStatus(route);
  if (flags.look === undefined) {
    const { rollout, plan } = newest;
    const look = (await ledger.looks(rollout)).at(-1) ?? null;
    return explain({ route, rollout, plan, status: statusOf(last, newest), look, recomputed: null });
  }
  const { row, look } = await findLook(ledger, newest, flags.look);
  const recomputed = await recomputeLook(ledger, row, look, progressOf(io));
  return explain({ route, rollout: row.rollout, plan: row.plan, status: statusOf(last, row), look, recomputed });
}

function statusOf<Status extends { readonly rollout: string }>(status: Status | null, row: RolloutRow): Status | null {
  return status?.rollout === row.rollout ? status : null;
}

/** By its id, by the end of its id within the newest rollout (`canary-5/7`), or `last`. */
async function findLook(
  ledger: Ledger,
  newest: RolloutRow,
  id: string,
): Promise<{ readonly row: RolloutRow; readonly look: Look }> {
  const looks = await ledger.looks(newest.rollout);
  const own = id === 'last' ? looks.at(-1) : looks.find((look) => look.id === id || look.id.endsWith(`/${id}`));
  if (own !== undefined) return { row: newest, look: own };
  const other = await ledger.look(id);
  const row = other === null ? null : await ledger.rollout(other.rollout);
  if (other !== null && row !== null && row.route === newest.route) return { row, look: other };
  const known = looks.slice(-LOOKS_NAMED).map((look) => look.id);
  throw new SluiceError(
    'rollout-unknown',
    `${newest.route} has no look ${id}; its newest are ${known.length === 0 ? 'none' : known.join(', ')}`,
  );
}

function progressOf(io: Io): () => void {
  const begun = performance.now();
  let told = false;
  return () => {
    if (told || performance.now() - begun < SILENT_MS) return;
    told = true;
    io.note('computing the verdicts again from the evidence in the ledger');
  };
}

import type { SluiceConfig } from '../../plan/config.js';
import type { ConfigFlag } from '../config-flag.js';
import type { Io } from '../io.js';
import { openLedgerOf } from '../ledger-of.js';
import { fail, ok, warn, wordsOf, type Finding } from './finding.js';

/** Whether the ledger answers, and whether `sluice.yaml` still names the model that a promotion has replaced. */
export async function ledgerFindings(
  io: Io,
  flags: ConfigFlag,
  config: SluiceConfig | null,
): Promise<readonly Finding[]> {
  try {
    const ledger = await openLedgerOf(io, flags);
    if (ledger === null) return [warn('no ledger yet', 'the first worker makes it')];
    try {
      await ledger.ping();
      const rows = config === null ? [] : await ledger.routeRows();
      const stale = rows.flatMap((row) => {
        const written = config?.routes.get(row.route)?.stable;
        return written === undefined || written === row.stable
          ? []
          : [
              warn(
                `route ${row.route} rests on ${row.stable} since a promotion, sluice.yaml says ${written}`,
                `change it to: ${row.route}: { stable: ${row.stable} }`,
              ),
            ];
      });
      return [ok('the ledger answers'), ...stale];
    } finally {
      await ledger.close();
    }
  } catch (error) {
    return [fail(wordsOf(error), 'correct SLUICE_DATABASE_URL or start the database')];
  }
}

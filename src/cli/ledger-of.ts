import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Ledger } from '../ledger/ledger.js';
import { ledgerFromEnvironment } from '../ledger/open-ledger.js';
import { findConfig, findUpFile } from './workspace.js';
import type { ConfigFlag } from './config-flag.js';
import type { Io } from './io.js';

/**
 * Where the ledger is when `SLUICE_DATABASE_URL` names none: that of a running `up`, else `.sluice/ledger.db` beside `sluice.yaml`.
 */
export function ledgerPath(io: Io, flags: ConfigFlag): string {
  const up = findUpFile(io.cwd);
  if (up !== null) return up.ledger;
  const config = findConfig(flags.config, io.env, io.cwd);
  return join(config === null ? io.cwd : dirname(config), '.sluice', 'ledger.db');
}

/** Opens the ledger for reading, or null when there is none yet: a command that reads makes no database. */
export async function openLedgerOf(io: Io, flags: ConfigFlag): Promise<Ledger | null> {
  const path = ledgerPath(io, flags);
  if (io.env['SLUICE_DATABASE_URL'] === undefined && !existsSync(path)) return null;
  return ledgerFromEnvironment(io.env, path);
}

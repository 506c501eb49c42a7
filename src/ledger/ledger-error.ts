/** A database's own words, with the database's name and what to do next. */
import { SluiceError } from '../plan/failures.js';
import type { LedgerTarget } from './target.js';

/**
 * `ledger-unavailable` with the fault as its cause, so that whoever retries can see what it was; a `SluiceError` is
 * passed on as it is. `action` reads after "cannot": "commit evidence".
 */
export function ledgerError(target: LedgerTarget, action: string, fault: unknown): SluiceError {
  if (fault instanceof SluiceError) return fault;
  return new SluiceError(
    'ledger-unavailable',
    `the ledger ${target.name} cannot ${action}: ${wordsOf(fault)}; ${nextStep(target, fault)}`,
    { cause: fault },
  );
}

/** Node reports the addresses of one host that all refused as one error without a message. */
function wordsOf(fault: unknown): string {
  if (fault instanceof AggregateError) return fault.errors.map(wordsOf).join(', ');
  if (!(fault instanceof Error)) return String(fault);
  return fault.message === '' ? (codeOf(fault) ?? fault.name) : fault.message;
}

function nextStep(target: LedgerTarget, fault: unknown): string {
  if (fault instanceof Error && /previously executed migration .* is missing/.test(fault.message)) {
    return 'a newer version of sluice has written it: use that version or a later one';
  }
  return target.kind === 'sqlite' ? sqliteStep(target.path, fault) : postgresStep(fault);
}

function sqliteStep(path: string, fault: unknown): string {
  const code = codeOf(fault) ?? '';
  if (code.startsWith('SQLITE_BUSY') || code.startsWith('SQLITE_LOCKED')) {
    return 'another process keeps it locked: end that process, or point SLUICE_DATABASE_URL at a Postgres database';
  }
  if (code.startsWith('SQLITE_NOTADB') || code.startsWith('SQLITE_CORRUPT')) {
    return `restore ${path} from a backup, or move it away to begin a new ledger`;
  }
  if (code.startsWith('SQLITE_FULL')) return 'free some space on its disk';
  return `check that ${path} exists and that this user may write it and its directory`;
}

function postgresStep(fault: unknown): string {
  switch (codeOf(fault)) {
    case '28000':
    case '28P01':
      return 'check user and password in SLUICE_DATABASE_URL';
    case '3D000':
      return 'create that database, or name another one in SLUICE_DATABASE_URL';
    case '42501':
      return 'grant this user the right to create and write tables in that database';
    case '53300':
      return 'raise max_connections of the server, or run fewer workers';
    case undefined:
    default:
      return 'check that the server is up and that SLUICE_DATABASE_URL is right';
  }
}

function codeOf(fault: unknown): string | undefined {
  if (!(fault instanceof Error) || !('code' in fault)) return undefined;
  return typeof fault.code === 'string' ? fault.code : undefined;
}

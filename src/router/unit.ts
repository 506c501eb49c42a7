import type { IncomingHttpHeaders } from 'node:http';

/** A unit's name is hashed on each request: what is longer is cut, on every router alike. */
const LONGEST_UNIT = 1_024;

/**
 * Who is kept on one variant: the configured header, else what the body says (`safety_identifier`, `user`,
 * `prompt_cache_key`, `metadata.user_id`); null = the request alone.
 */
export function unitOf(
  headers: IncomingHttpHeaders,
  unitHeader: string | null,
  bodyUnit: string | null,
): string | null {
  const header = unitHeader === null ? undefined : headers[unitHeader];
  const named = Array.isArray(header) ? header[0] : header;
  const unit = named === undefined || named === '' ? bodyUnit : named;
  return unit === null ? null : unit.slice(0, LONGEST_UNIT);
}

import { InvalidArgumentError } from 'commander';
import type { Listen } from '../plan/config.js';

/** `127.0.0.1:8700` as a flag. */
export function parseListenFlag(value: string): Listen {
  const match = /^(\[[0-9a-f:]+\]|[^:]+):(\d{1,5})$/i.exec(value);
  const port = Number(match?.[2]);
  if (match?.[1] === undefined || port > 65_535)
    throw new InvalidArgumentError('not an address such as 127.0.0.1:8700');
  return { host: match[1].replace(/^\[|\]$/g, ''), port };
}

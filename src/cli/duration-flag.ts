import { InvalidArgumentError } from 'commander';
import { parseDuration } from '../plan/duration.js';

/** A duration flag in milliseconds: `90s`, `12h`. */
export function parseDurationFlag(value: string): number {
  const parsed = parseDuration(value);
  if (!parsed.ok) throw new InvalidArgumentError(parsed.why);
  return parsed.value;
}

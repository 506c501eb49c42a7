import type { RolloutStatus } from '../plan/status.js';

/** The command that takes a promoted route back to the model it had. */
export function wayBack(status: RolloutStatus): string {
  const { stable, candidate } = status.split.upstreams;
  // After promotion the resting split names the promoted model alone, as stable.
  const previous = candidate === null ? 'PREVIOUS-UPSTREAM' : stable;
  const line = `sluice start --route ${status.route} --candidate ${previous} --preset`;
  return `${line} blue-green (while blue-green is not available in this version: ${line} canary)`;
}

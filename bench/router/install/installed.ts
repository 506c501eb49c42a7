import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { inBench } from '../settings.js';
import { PINS } from './pins.js';
import type { PeerName } from './pins.js';

/** Written last, so that an installation that was cut off is none. */
const MARK = 'installed-version';

/** The version installed in full; null when there is none, or one that is not the pinned. */
export function installedVersion(peer: PeerName): string | null {
  const mark = inBench(peer, MARK);
  if (!existsSync(mark)) return null;
  const version = readFileSync(mark, 'utf8').trim();
  return version === PINS[peer] || version.startsWith(`${PINS[peer]}-`) ? version : null;
}

/** An empty directory for a peer. */
export function cleared(peer: PeerName): string {
  const directory = inBench(peer);
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  return directory;
}

export function markInstalled(peer: PeerName, version: string): void {
  writeFileSync(inBench(peer, MARK), `${version}\n`);
}

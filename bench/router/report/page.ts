import { table } from '../../statistics/report/markdown.js';
import { isVoid } from '../results.js';
import type { Results } from '../results.js';
import type { Table } from './tables.js';

/** What a run was, apart from its figures. */
export interface RunFacts {
  readonly command: string;
  readonly date: string;
  readonly machine: string;
  readonly processor: string;
  readonly seed: number;
  readonly rounds: number;
  readonly pinned: boolean;
  readonly realTime: boolean;
  /** One-minute load averages of the machine before and after. */
  readonly loadBefore: number;
  readonly loadAfter: number;
  readonly versions: Readonly<Record<string, string>>;
  readonly notInstalled: readonly string[];
}

/** The page of evidence. */
export function routerPage(facts: RunFacts, results: Results, tables: readonly Table[], targets: Table): string {
  const parts = [
    '# Evidence: what the router costs',
    'Written by `npm run bench:router`; do not edit. What is measured, and how far it can be trusted, is said below the tables.',
    table(['run', ''], factRows(facts)),
    '## Targets',
    'Ratios and differences are paired: both were measured in the same round, and the median over the rounds decides. ' +
      'Two processes are not measured: the router has no such switch yet.',
    table(targets.header, targets.rows),
    '## Figures',
    'Median over the rounds, [range], best round.',
    ...tables.flatMap(({ title, header, rows }) => [`### ${capital(title)}`, table(header, rows)]),
    '## Void rounds',
    voidText(results),
    '## Method',
    METHOD,
  ];
  return `${parts.join('\n\n')}\n`;
}

const METHOD = [
  '- A mock upstream and a load generator in C (`bench/router/native/`), on one core; the gateway alone on the other. The',
  '  mock answers at once; the load is a closed loop of some 370 bytes a request, by one of 10,000 users. Row `direct` is the load on the mock.',
  '- Every gateway splits 95/5 between two upstreams and runs as one process or worker. `sluice` is the router as',
  '  `sluice router` starts it, with a canary in force: body read, unit hashed, request metered, answer read for usage, id signed.',
  '- `sluice, resting` is the same process on a route without a rollout: no choice, no meter. It still reads the body and the',
  '  answer and signs an id. `bare` is node:http and undici with nothing between them: the floor under this design.',
  '- Mirrored requests count for the router only as the request that a client sent; their CPU is in it.',
  '- Peers run in their cheapest way: no logs, no keys, no database, no guardrails. nginx is sticky by a header; HAProxy, Envoy, Portkey and LiteLLM draw for each request.',
  "- Each round measures every target in a new order drawn from the seed, after a warm-up. CPU is the scheduler's count of",
  "  all threads of the gateway's processes. A round with a failed request or a status other than 200 is void.",
  '- Streams have 22 events; the usage event that the router asks for is taken out again before the client. A gateway that',
  '  delivers as many events as `direct` has met the limit of the load: a ratio to it flatters the router.',
  '- Memory is measured on a gateway started for nothing else.',
].join('\n');

function factRows(facts: RunFacts): readonly (readonly string[])[] {
  const versions = Object.entries(facts.versions).map(([name, version]) => `${name} ${version}`);
  return [
    ['command', `\`${facts.command}\``],
    ['date', facts.date],
    ['machine', `${facts.machine}, ${facts.processor}`],
    ['cores', facts.pinned ? 'gateway on one, mock and load on the other' : 'not pinned'],
    ['priority', facts.realTime ? 'real time (`chrt -r 1`)' : 'normal'],
    ['rounds, seed', `${facts.rounds}, ${facts.seed}`],
    ['load average before, after', `${facts.loadBefore.toFixed(1)}, ${facts.loadAfter.toFixed(1)}`],
    ['versions', versions.join(', ')],
    ...(facts.notInstalled.length === 0 ? [] : [['not installed', facts.notInstalled.join(', ')]]),
  ];
}

function voidText(results: Results): string {
  if (results.voids.length === 0) return 'None: no request failed and none was answered by another status than 200.';
  const rows = results.voids.filter(isVoid).map(({ measurement, target, round, load }) => {
    return [
      target,
      measurement,
      String(round + 1),
      String(load.requests),
      String(load.failed),
      String(load.otherStatus),
    ];
  });
  return table(['target', 'measurement', 'round', 'requests', 'failed', 'not 200'], rows);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { analyzeLines } from '../../src/cli/analyze/analyze-lines.js';
import type { Analysis } from '../../src/cli/analyze/analyze-lines.js';
import { planOffline } from '../../src/cli/offline-plan.js';
import { openLedger } from '../../src/ledger/open-ledger.js';
import type { Plan } from '../../src/plan/types.js';
import { loadHash } from '../../src/router/choice.js';
import { assessLive } from './equal/live.js';
import type { LiveVerdicts } from './equal/live.js';
import { HEALTHY, lineOf, requestsOf } from './equal/requests.js';
import type { Behaviour } from './equal/requests.js';

/** The guardrails of the default plan, at 25% and at 50%. */
function twoStages(warmups: readonly [string, string]): Plan {
  return planOffline({
    route: 'support',
    candidate: 'llama-32',
    requestTimeout: '30s',
    stages: [
      { kind: 'canary', share: '25%', for: '150s', interval: '1s', warmup: warmups[0] },
      { kind: 'canary', share: '50%', for: '150s', interval: '1s', warmup: warmups[1] },
    ],
  });
}

/** The same requests on both ways: 6,000 of 300 units, each on one variant throughout a stage. */
async function bothWays(
  candidate: Behaviour,
  warmups: readonly [string, string] = ['5s', '10s'],
): Promise<{ readonly plan: Plan; readonly live: LiveVerdicts; readonly analysis: Analysis }> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-equal-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const plan = twoStages(warmups);
  const hash = await loadHash();
  const requests = requestsOf(plan, hash, candidate, 11);
  const lines = join(directory, 'requests.jsonl');
  writeFileSync(lines, requests.map((request) => `${lineOf(request)}\n`).join(''));
  const ledger = await openLedger({ sqlitePath: join(directory, 'ledger.db') });
  onTestFinished(() => ledger.close());
  const live = await assessLive(plan, requests, ledger, hash);
  return { plan, live, analysis: await analyzeLines(plan, lines, { reorderMs: 1000 }) };
}

function expectEqual({ live, analysis }: { readonly live: LiveVerdicts; readonly analysis: Analysis }): void {
  expect(analysis.guardrails).toEqual(live.readings.at(-1)?.guardrails);
  expect(analysis.stages.map(({ stage, requests, promote }) => ({ stage, requests, promote }))).toEqual(
    live.readings.map(({ stage, requests, promote }) => ({ stage, requests, promote })),
  );
  const [first] = live.breaches;
  expect(analysis.firstBreach).toEqual(
    first === undefined
      ? null
      : {
          guardrail: first.guardrails[0],
          stage: first.stage,
          at: new Date(first.intervalEnd).toISOString(),
          requests: first.requests,
        },
  );
}

it('says of a candidate as good as stable, to the digit, what the pipeline says', async () => {
  const both = await bothWays(HEALTHY);
  expect(both.live.breaches).toEqual([]);
  const counted = Object.entries(both.analysis.guardrails).filter(([, { n }]) => n.stable > 0 && n.candidate > 0);
  expect(counted.map(([name]) => name).toSorted()).toEqual(both.plan.guardrails.map(({ name }) => name).toSorted());
  expectEqual(both);
});

it('finds a candidate that fails at the same interval end, after the same requests', async () => {
  const both = await bothWays({ ...HEALTHY, errorRate: 0.12 });
  expect(both.live.breaches[0]?.guardrails).toEqual(['error_rate']);
  expectEqual(both);
});

it.each<[string, Partial<Behaviour>]>([
  ['is slower', { slowness: 1.8 }],
  ['refuses more', { refusals: 0.25 }],
  ['writes longer answers', { length: 2.5 }],
  ['is liked less', { dislike: 0.7 }],
])('finds a candidate that %s as the pipeline does', async (_, worse) => {
  const both = await bothWays({ ...HEALTHY, ...worse });
  expect(both.live.breaches.length).toBeGreaterThan(0);
  expectEqual(both);
});

it('takes a stage without warm-up as a router does', async () => {
  const both = await bothWays(HEALTHY, ['0s', '0s']);
  expect(both.analysis.stages).toHaveLength(2);
  expectEqual(both);
});

/** What Temporal's Web UI tells of a rollout by itself, in a real browser. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import type { WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { NativeConnection } from '@temporalio/worker';
import type { Locator, Page } from 'playwright-core';
import { expect, inject, it, onTestFinished } from 'vitest';
import { startEmbeddedServer } from '../../src/temporal/embedded-server.js';
import type { EmbeddedServer } from '../../src/temporal/embedded-server.js';
import { TASK_QUEUE } from '../../src/temporal/task-queue.js';
import { createSluiceWorker } from '../../src/temporal/worker.js';
import { startChromium } from '../helpers/chromium.js';
import { createFakeWorld } from '../workflow/fakes.js';
import type { FakeWorld } from '../workflow/fakes.js';
import { by } from '../workflow/harness.js';
import { HOUR, planOf, stagePlan } from '../workflow/plans.js';

/** A look within the first second, the next one an hour later. */
const plan = planOf([stagePlan('canary-5', { durationMs: HOUR, lookTimesMs: [500, HOUR], warmupMs: 0 })]);
const UTC = String.raw`\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC`;

// Unpacking a browser takes long on a busy machine; each wait of its own ends after 30 s and says what is missing.
it('shows what was done and why, and where the rollout stands', { timeout: 180_000 }, async () => {
  const world = createFakeWorld(plan);
  const collecting = collected(world, 2);
  await withRollout(world, async ({ handle, open }) => {
    await collecting;
    const history = await open('history');
    const summaries: readonly [string, string | RegExp][] = [
      ['openRollout', 'check the plan, ask the fleet (by ann)'],
      ['setSplit', 'canary-5: 5% candidate (generation 7)'],
      ['notify', 'started: canary-5: 5% candidate (generation 7) is in force'],
      ['recordDecision', 'canary-5: start, canary-5: 5% candidate (generation 7) is in force'],
      ['sampleTraffic', /^canary-5: watch for .+, look 1 of 2$/],
      ['assess', 'canary-5: look 1 (scheduled)'],
      ['sampleTraffic', /^canary-5: watch for .+, look 2 of 2$/],
    ];
    for (const [activity, summary] of summaries) await scheduled(history, activity, summary).waitFor();

    expect(await currentDetails(await open('user-metadata'), 'running')).toEqual([
      ['state', 'running'],
      ['stage', expect.stringMatching(new RegExp(`^canary-5 \\(1\\), since ${UTC}, its time ends ${UTC}$`))],
      ['split', '5% candidate (generation 7)'],
      ['evidence', 'ok'],
      ['next gate', expect.stringMatching(/^time: .+ of 1 h$/)],
      ['guardrail', 'verdict', 'odds ratio', 'stable', 'candidate', 'requests', 'why'],
      ['error_rate', 'safe', '0.9 to 1.04', '0.01', '0.0098', '95000 / 5000', 'odds ratio 0.98, at most 1.04'],
      [
        'refusal_rate',
        'undecided (hold)',
        '0.9 to 1.04',
        '0.01',
        '0.0098',
        '95000 / 5000',
        'odds ratio 0.98, at most 1.04',
      ],
    ]);

    // The page follows a rollout that comes to a hold while somebody looks at it.
    const watched = await open('history');
    await scheduled(watched, 'assess', 'canary-5: look 1 (scheduled)').waitFor();
    world.before = ({ name }) => {
      if (name === 'sampleTraffic') throw ApplicationFailure.nonRetryable('the ledger is away');
    };
    await handle.signal('pause', by('ann'));
    await event(watched, 'Timer Started')
      .getByText('canary-5 is held: tries again in 1 min', { exact: true })
      .waitFor();
    await scheduled(watched, 'notify', /^held: canary-5 is held: .*the ledger is away/).waitFor();
    expect(await currentDetails(await open('user-metadata'), 'held')).toEqual(
      expect.arrayContaining([
        ['state', 'held: sampleTraffic failed: the ledger is away'],
        ['stage', expect.stringMatching(new RegExp(`^canary-5 \\(1\\), since ${UTC}, its clock stands still$`))],
        ['split', '5% candidate (generation 7)'],
      ]),
    );
  });
});

interface Shown {
  readonly handle: WorkflowHandle;
  /** Opens a tab of the rollout's page in the browser. */
  readonly open: (tab: string) => Promise<Page>;
}

/** A server with its Web UI, a worker, a rollout and a browser; closed in the opposite order, whatever happens. */
async function withRollout(world: FakeWorld, scene: (shown: Shown) => Promise<void>): Promise<void> {
  const server = await embeddedServer();
  const connection = await Connection.connect({ address: server.address });
  onTestFinished(() => connection.close());
  const nativeConnection = await NativeConnection.connect({ address: server.address });
  onTestFinished(() => nativeConnection.close());
  const codePath = inject('workflowBundlePath');
  if (codePath === null) throw new Error('there are no workflows to bundle');
  const worker = await createSluiceWorker({
    connection: nativeConnection,
    namespace: server.namespace,
    activities: world.activities,
    workflowBundle: { codePath },
  });
  await worker.runUntil(async () => {
    const handle = await new Client({ connection }).workflow.start('rollout', {
      taskQueue: TASK_QUEUE,
      workflowId: `rollout/${plan.route}`,
      args: [{ plan: { route: plan.route }, by: 'ann', searchAttributes: true }],
    });
    const { browser, close } = await startChromium();
    try {
      const page = await browser.newPage({ viewport: { width: 1_600, height: 2_400 } });
      await page.route('**', (route) =>
        new URL(route.request().url()).hostname === '127.0.0.1' ? route.continue() : route.abort(),
      );
      const address = `${server.ui}/namespaces/default/workflows/${encodeURIComponent(handle.workflowId)}/${handle.firstExecutionRunId}`;
      const open = async (tab: string): Promise<Page> => {
        await page.goto(`${address}/${tab}`);
        return page;
      };
      await scene({ handle, open });
    } finally {
      await close();
    }
  });
}

async function embeddedServer(): Promise<EmbeddedServer> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-web-ui-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const server = await startEmbeddedServer({
    databaseFile: join(directory, 'temporal.db'),
    logFile: join(directory, 'temporal.log'),
    port: 0,
    uiPort: 0,
  });
  onTestFinished(() => server.stop());
  return server;
}

/** Resolves when the collector has been called for the `count`th time; its call is in the history by then. */
function collected(world: FakeWorld, count: number): Promise<void> {
  return new Promise((resolve) => {
    world.during = async () => {
      if (world.calls.filter(({ name }) => name === 'sampleTraffic').length >= count) resolve();
    };
  });
}

/** The rows of the event history of one type. */
function event(page: Page, type: string): Locator {
  return page.getByRole('row').filter({ hasText: type });
}

/** The summary of a call in the event history. */
function scheduled(page: Page, activity: string, summary: string | RegExp): Locator {
  return event(page, 'Activity Task Scheduled')
    .filter({ has: page.getByText(activity, { exact: true }) })
    .getByText(summary, { exact: true });
}

/** The cells of the tables in the current details, row by row, once they tell of `state`. */
async function currentDetails(page: Page, state: string): Promise<readonly (readonly string[])[]> {
  const frame = page.frameLocator('iframe');
  await frame.getByText('llama-31 → llama-32').waitFor();
  const rows = frame.getByRole('row');
  await rows.filter({ hasText: new RegExp(`^\\s*state\\s+${state}`) }).waitFor();
  const cells = (await rows.allInnerTexts()).map((row) => row.split('\t').map((cell) => cell.trim()));
  return cells.filter((row) => row.some((cell) => cell !== ''));
}

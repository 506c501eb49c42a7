import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Assessments } from '../../activities/assessments.js';
import { advanceFleetFrontier, startFleetFrontier } from '../../src/evidence/fleet-frontier.js';
import type { FleetFrontier } from '../../src/evidence/fleet-frontier.js';
import type { EvidencePage } from '../../src/evidence/record.js';
import type { Ledger, RolloutRow } from '../../src/ledger/ledger.js';
import { openLedger } from '../../src/ledger/open-ledger.js';
import { fivePlan } from '../statistics/assessment/plan-fixture.js';
import { feedback, responseRate } from '../statistics/assessment/ratings.js';
import { FakeClock, START_MS } from './helpers/fake-clock.js';
import { canarySplit, chat, putSplit, readEvidence, ROLLOUT, startFixture } from './helpers/router-fixture.js';
import type { RouterFixture } from './helpers/router-fixture.js';
import { startUpstream } from './helpers/upstream-server.js';

const plan = fivePlan({ guardrails: [feedback(), responseRate()] });
const HORIZON_MS = 2_000;
const SECONDS = 9;

async function ledgerOf(row: RolloutRow): Promise<Ledger> {
  const directory = mkdtempSync(path.join(tmpdir(), 'sluice-feedback-'));
  const ledger = await openLedger({ sqlitePath: path.join(directory, 'ledger.db') });
  onTestFinished(async () => {
    await ledger.close();
    rmSync(directory, { recursive: true, force: true });
  });
  await ledger.openRollout(row);
  return ledger;
}

/** Two routers of one fleet, by one clock and one token key. */
async function startFleet(clock: FakeClock): Promise<readonly RouterFixture[]> {
  const [old, fresh] = await Promise.all([startUpstream(), startUpstream()]);
  return Promise.all(
    ['replica-1', 'replica-2'].map(async (replica) => {
      const fixture = await startFixture({
        urls: { old: old.url, new: fresh.url },
        change: (config) => ({ ...config, tokenKeyEnv: ['TOKEN_KEY'] }),
        env: { TOKEN_KEY: 'shared' },
        clock,
        replica,
      });
      await putSplit(fixture.router, canarySplit({ weights: { stable: 0.5, candidate: 0.5 } }));
      return fixture;
    }),
  );
}

/** What a collector does: reads pages, moves the fleet's frontier by them, commits both together. */
class HandCollector {
  readonly #ledger: Ledger;
  readonly #cursors = new Map<string, string>();
  #frontier: FleetFrontier;

  constructor(ledger: Ledger, members: readonly string[]) {
    this.#ledger = ledger;
    this.#frontier = startFleetFrontier({
      rollout: ROLLOUT,
      intervalMs: 1_000,
      graceMs: 60_000,
      closedThrough: 0,
      members: members.map((address) => ({ address, generation: 1, leaseEndsAt: null })),
    });
  }

  async poll(fixtures: readonly RouterFixture[]): Promise<number> {
    const pages: EvidencePage[] = [];
    for (const { router } of fixtures) {
      for (let more = true; more;) {
        const page = await readEvidence(router, this.#cursors.get(router.adminUrl) ?? null);
        this.#cursors.set(router.adminUrl, page.cursor);
        this.#frontier = advanceFleetFrontier(this.#frontier, { kind: 'page', address: router.adminUrl, page });
        pages.push(page);
        ({ more } = page);
      }
    }
    const { closedThrough } = await this.#ledger.commitEvidence({
      rollout: ROLLOUT,
      records: pages.flatMap(({ records }) => records),
      ratings: pages.flatMap(({ ratings }) => ratings),
      closedThrough: this.#frontier.closedThrough,
    });
    this.#frontier = advanceFleetFrontier(this.#frontier, { kind: 'committed' });
    return closedThrough;
  }
}

interface Due {
  readonly at: number;
  readonly id: string;
  readonly user: number;
  readonly router: RouterFixture;
}

describe('ratings on their way through a fleet, the ledger and an assessment', () => {
  test('are counted when they came within the horizon, on whatever router, and not when later', async () => {
    const clock = new FakeClock();
    const fleet = await startFleet(clock);
    const row = { rollout: ROLLOUT, route: plan.route, plan, salt: 'salt', seeds: {}, startedAt: START_MS };
    const ledger = await ledgerOf(row);
    const collector = new HandCollector(
      ledger,
      fleet.map(({ router }) => router.adminUrl),
    );
    const live = new Assessments(ledger);
    const options = { signal: new AbortController().signal };
    const rated = { inTime: 0, tooLate: 0 };
    let due: Due[] = [];
    for (let step = 0; step < 2 * SECONDS; step++) {
      for (let user = 0; user < 8; user++) {
        // The last seconds only carry the frontier over the horizon of those before.
        const router = fleet[user % 2];
        const other = fleet[(user + 1) % 2];
        if (router === undefined || other === undefined) throw new Error('two routers');
        const answer = await chat(router.router, { headers: { 'x-user-id': `u-${user}-${step}` } });
        if (step >= 2 * SECONDS - 8) continue;
        const delayMs = [500, HORIZON_MS, HORIZON_MS + 500][user % 3] ?? 0;
        rated[delayMs > HORIZON_MS ? 'tooLate' : 'inTime'] += 1;
        const id = String(answer.headers['x-sluice-request-id']);
        due.push({ at: clock.wallMs() + delayMs, id, user, router: user < 4 ? router : other });
      }
      clock.advance(500);
      for (const { id, user, router } of due.filter(({ at }) => at <= clock.wallMs())) {
        const body = { request_id: id, thumb: user % 2 === 0 ? 'up' : 'down' };
        expect((await chat(router.router, { path: '/v1/feedback', body })).status).toBe(202);
      }
      due = due.filter(({ at }) => at > clock.wallMs());
      // One of the two is asked far less often: the frontier waits for it, and so do the ratings that it holds.
      const closedThrough = await collector.poll(step % 5 === 4 ? fleet : fleet.slice(0, 1));
      await live.foldTo(row, closedThrough, options, () => undefined);
    }
    const closedThrough = await collector.poll(fleet);
    expect(closedThrough).toBe(START_MS + 1_000 * SECONDS);
    const folded = await live.foldTo(row, closedThrough, options, (assessment) => assessment.snapshot());
    const { feedback: state, response_rate: responses } = folded.guardrails;
    expect(state).toMatchObject({
      window: { leftOut: { late: 0, afterHorizon: rated.tooLate, unknownGeneration: 0 } },
    });
    const tested = { trials: 0, events: 0, rated: 0 };
    if (state?.kind !== 'feedback' || responses?.kind !== 'rate' || !('window' in responses))
      throw new Error('no state');
    for (const { stableTrials, candidateTrials, stableEvents, candidateEvents } of state.totals) {
      tested.trials += stableTrials + candidateTrials;
      tested.events += stableEvents + candidateEvents;
    }
    for (const { stableEvents, candidateEvents } of responses.totals) tested.rated += stableEvents + candidateEvents;
    expect(tested).toEqual({ trials: rated.inTime, events: rated.inTime / 2, rated: rated.inTime });
    const rebuilt = await new Assessments(ledger).readAt(row, closedThrough, options, (one) => one.snapshot());
    expect(rebuilt).toEqual(folded);
  }, 30_000);
});

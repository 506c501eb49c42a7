import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Activities } from '../../activities/index.js';
import type { AssessInput } from '../../activities/types.js';
import type { Look } from '../../src/evidence/look.js';
import { rolloutId, stageName } from '../../src/plan/ids.js';
import type { RolloutStatus } from '../../src/plan/status.js';
import { closeWorlds, failureOf, ROLLOUT, ROUTE, STARTED_AT, TestWorld } from './harness.js';
import { HEALTHY } from './traffic.js';

let world: TestWorld;
let warm: Activities;

beforeEach(async () => {
  world = await TestWorld.create({ traffic: HEALTHY });
  await world.store();
  const split = world.split('canary-50');
  await world.obey(split);
  warm = world.worker();
  await world.sample(world.samplingInput(split, { forMs: 12_000 }), { worker: warm });
});

afterEach(closeWorlds);

const input = (lookId: string, closedThrough = STARTED_AT + 12_000): AssessInput => ({
  rollout: ROLLOUT,
  stage: stageName('canary-50'),
  position: { closedThrough },
  promoteFromGeneration: 1,
  lookId,
  why: 'scheduled',
});

const assess = (given: AssessInput, worker?: Activities): Promise<Look> =>
  world.call((assessor) => assessor.assess(given), worker === undefined ? {} : { worker });

/** What two looks at one position share. */
const verdicts = ({ id: _id, at: _at, ...rest }: Look): unknown => rest;

describe('assess', () => {
  it('gives the same to the digit on a worker that folded as it went and on one that knows nothing', async () => {
    const folded = await assess(input('folded'), warm);
    const rebuilt = await assess(input('rebuilt'));
    expect(verdicts(rebuilt)).toEqual(verdicts(folded));
    expect(folded.requests).toEqual({ stable: 1_200, candidate: 1_200 });
  });

  it('gives the same for a position behind what has been folded', async () => {
    const early = STARTED_AT + 5_000;
    const behind = await assess(input('behind', early), warm);
    const cold = await assess(input('cold', early));
    expect(verdicts(behind)).toEqual(verdicts(cold));
    expect(behind.requests).toEqual({ stable: 500, candidate: 500 });
    expect(behind.position).toEqual({ closedThrough: early });
    // The look back has not taken the worker's own assessment back.
    await expect(assess(input('ahead'), warm)).resolves.toMatchObject({ requests: { stable: 1_200 } });
  });

  it('records a look once: a retry gets the first one, whatever has come in since', async () => {
    const first = await assess(input('once'));
    world.clock.wallOffsetMs = 99_000;
    await expect(assess({ ...input('once', STARTED_AT + 3_000), why: 'deadline' })).resolves.toEqual(first);
    await expect(world.disk.looks(ROLLOUT)).resolves.toEqual([first]);
  });

  it('folds for two at a time in turn', async () => {
    const [a, b] = await Promise.all([assess(input('a'), warm), assess(input('b'), warm)]);
    expect(verdicts(a)).toEqual(verdicts(b));
  });

  it.each([
    [
      'a rollout that the ledger does not know',
      { rollout: rolloutId('sales@2026-11-24T09:00:00Z') },
      'rollout-unknown',
    ],
    ['a stage that the plan does not have', { stage: stageName('canary-99') }, 'stage-mismatch'],
  ])('fails for good on %s', async (_what, overrides, type) => {
    const failure = await failureOf(assess({ ...input('wrong'), ...overrides }));
    expect(failure).toMatchObject({ type, nonRetryable: true });
  });

  it('fails retryably while the ledger is away', async () => {
    world.faults.down = true;
    await expect(assess(input('away'))).rejects.toThrow('the disk is gone');
    world.faults.down = false;
    await expect(assess(input('away'))).resolves.toMatchObject({ id: 'away' });
  });
});

it('recordDecision keeps the decision once and the last state', async () => {
  const decision = {
    at: STARTED_AT,
    stage: stageName('canary-50'),
    action: 'hold',
    by: 'sluice',
    reason: 'evidence is not in',
    look: null,
  } as const;
  const status: RolloutStatus = {
    route: ROUTE,
    rollout: ROLLOUT,
    state: 'held',
    evidence: 'ok',
    stage: { name: decision.stage, kind: 'canary', index: 1, share: 0.5, startedAt: STARTED_AT, endsAt: null },
    split: {
      generation: 1,
      weights: { stable: 0.5, candidate: 0.5 },
      mirror: { variant: 'candidate', share: 0 },
      upstreams: { stable: world.plan.stable, candidate: world.plan.candidate },
    },
    guardrails: {},
    flags: [],
    hold: { reason: decision.reason, since: STARTED_AT, guardrails: [] },
    gates: [],
    decisions: [decision],
    outstanding: [],
    outcome: null,
  };
  const record = { rollout: ROLLOUT, sequence: 1, decision, status };
  await world.call((worker) => worker.recordDecision(record));
  await world.call((worker) => worker.recordDecision(record));
  await expect(world.disk.decisions(ROLLOUT)).resolves.toEqual([decision]);
  await expect(world.disk.lastStatus(ROUTE)).resolves.toEqual(status);
});

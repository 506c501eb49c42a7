import type { Look } from '../../src/evidence/look.js';
import type { EvidenceRecord } from '../../src/evidence/record.js';
import type { Ledger, RolloutRow, RouteRow } from '../../src/ledger/ledger.js';
import { rolloutId, routeName, stageName, upstreamName } from '../../src/plan/ids.js';
import type { RolloutId } from '../../src/plan/ids.js';
import type { Split } from '../../src/plan/split.js';
import type { Decision, RolloutStatus } from '../../src/plan/status.js';
import type { Plan } from '../../src/plan/types.js';
import { FIRST, ROLLOUT } from '../evidence/records.js';

export const ROUTE = routeName('support');

const plan: Plan = {
  version: 1,
  route: ROUTE,
  stable: upstreamName('llama-31'),
  candidate: upstreamName('llama-32'),
  preset: 'five-week',
  stages: [],
  guardrails: [],
  falseRollback: 0.05,
  falseHold: 0.05,
  falseFlag: 0.05,
  falsePromote: 0.05,
  requestTimeoutMs: 60_000,
  lease: { seconds: 900, onExpiry: 'stable' },
  ab: null,
  notify: [],
  digest: 'd1',
};

export function rolloutRow(fields: Partial<RolloutRow> = {}): RolloutRow {
  const seeds = { latency_p95: { gamma: 1.0183993761470242, xMin: 0.001, counts: { '700': 3 } } };
  return { rollout: ROLLOUT, route: ROUTE, plan, salt: 'salt-1', seeds, startedAt: FIRST, ...fields };
}

/** The rollout that started `hours` after the first one. */
export function laterRollout(hours: number): { readonly rollout: RolloutId; readonly startedAt: number } {
  const startedAt = FIRST + hours * 3_600_000;
  return { rollout: rolloutId(`support@${new Date(startedAt).toISOString().replace('.000Z', 'Z')}`), startedAt };
}

export function split(fields: Partial<Split> = {}): Split {
  return {
    generation: 1,
    rollout: ROLLOUT,
    stage: stageName('canary-5'),
    weights: { stable: 0.95, candidate: 0.05 },
    upstreams: { stable: upstreamName('llama-31'), candidate: upstreamName('llama-32') },
    mirror: { variant: 'candidate', share: 0 },
    salt: 'salt-1',
    lease: null,
    metering: {
      intervalMs: 10_000,
      warmupMs: 0,
      requestTimeoutMs: 60_000,
      feedbackHorizonMs: 0,
      histograms: {},
      strata: [],
    },
    ...fields,
  };
}

export function routeRow(generation: number, stable: string): RouteRow {
  return { route: ROUTE, stable: upstreamName(stable), split: split({ generation }), updatedAt: FIRST + generation };
}

export function decision(fields: Partial<Decision> = {}): Decision {
  return {
    at: FIRST,
    stage: stageName('canary-5'),
    action: 'start',
    by: 'sluice',
    reason: 'the plan says so',
    look: null,
    ...fields,
  };
}

export function look(fields: Partial<Look> = {}): Look {
  return {
    id: `${ROLLOUT}/canary-5/1`,
    rollout: ROLLOUT,
    at: FIRST,
    why: 'scheduled',
    stage: stageName('canary-5'),
    position: { closedThrough: FIRST },
    guardrails: {},
    crossings: { rollback: null, hold: null, flag: null },
    promote: { open: false, waiting: [{ guardrail: 'min_requests', why: '12 of 1,000' }] },
    requests: { stable: 1, candidate: 2 },
    incompleteShare: 0,
    lateShare: 0,
    dominance: null,
    ab: null,
    ...fields,
  };
}

export function status(fields: Partial<RolloutStatus> = {}): RolloutStatus {
  const { weights, mirror, upstreams } = split();
  return {
    route: ROUTE,
    rollout: ROLLOUT,
    state: 'running',
    evidence: 'ok',
    stage: { name: stageName('canary-5'), kind: 'canary', index: 0, share: 0.05, startedAt: FIRST, endsAt: null },
    split: { generation: 1, weights, mirror, upstreams },
    guardrails: {},
    flags: [],
    hold: null,
    gates: [],
    decisions: [decision()],
    outstanding: [],
    outcome: null,
    ...fields,
  };
}

/** The status of a rollout that ended at `at`, Unix ms. */
export function endedStatus(at: number, fields: Partial<RolloutStatus> = {}): RolloutStatus {
  return status({
    state: 'promoted',
    outcome: {
      state: 'promoted',
      at,
      stage: stageName('flip'),
      reason: 'every stage passed',
      guardrails: [],
      evidence: null,
      by: 'sluice',
    },
    ...fields,
  });
}

/** All evidence in use of a rollout, in the order in which it comes. */
export async function readAll(ledger: Ledger, rollout: RolloutId = ROLLOUT): Promise<readonly EvidenceRecord[]> {
  const all: EvidenceRecord[] = [];
  for await (const batch of ledger.evidence(rollout, 0, Number.MAX_SAFE_INTEGER)) all.push(...batch);
  return all;
}

import { describe, expect, it } from 'vitest';
import { FILE_SALT, RequestFold } from '../../../src/cli/analyze/fold-requests.js';
import type { Outcome } from '../../../src/router/proxy/outcome.js';
import type { RequestLine } from '../../../src/cli/analyze/request-line.js';
import type { EvidenceRecord } from '../../../src/evidence/record.js';
import { rolloutId, upstreamName } from '../../../src/plan/ids.js';
import { meteringFor } from '../../../src/plan/metering.js';
import type { Split } from '../../../src/plan/split.js';
import type { Plan } from '../../../src/plan/types.js';
import { loadHash, markUnit, sampleHash } from '../../../src/router/choice.js';
import type { Hash } from '../../../src/router/choice.js';
import { RouteMeter } from '../../../src/router/meter/route-meter.js';
import { errorRate, fivePlan, latency } from '../../statistics/assessment/plan-fixture.js';
import { Random } from '../../statistics/assessment/random.js';
import { START_MS } from '../generate-lines.js';

const PLAN = fivePlan({
  guardrails: [errorRate(), latency(0.5), latency(0.95), errorRate({ name: 'cache_hit_rate', promote: null })],
});
const ERRORS = [null, null, null, null, 'model', 'timeout', 'aborted'] as const;

/** Requests in order of their start; a unit's next one often begins before its last has ended. */
function requestsOf(stageIndex: number, seconds: number): RequestLine[] {
  const random = new Random(stageIndex);
  const at = (share: number) => START_MS + Math.floor(1000 * seconds * share);
  return Array.from({ length: 40 * seconds }, (_, index, all = 40 * seconds) => ({
    at: at(index / all),
    stageIndex,
    variant: random.happens(0.5) ? ('candidate' as const) : ('stable' as const),
    unit: `u-${Math.floor(30 * random.uniform())}`,
    latencyMs: Math.round(2000 * random.uniform()),
    ttftMs: random.happens(0.5) ? 40 : null,
    promptTokens: 100,
    cachedTokens: random.happens(0.5) ? 80 : 0,
    completionTokens: 20,
    error: ERRORS[Math.floor(ERRORS.length * random.uniform())] ?? null,
    refused: random.happens(0.1),
    thumb: null,
    score: null,
  }));
}

/** What a router reads of an answer; one that is an error says of itself only that a filter blocked the request. */
function factsOf({ error, refused, cachedTokens }: RequestLine): Outcome['facts'] {
  if (error === 'aborted' || error === 'timeout') return null;
  if (error !== null) return { complete: false, usage: null, refused: refused === true ? true : null, issuedIds: [] };
  const usage = { promptTokens: 100, cachedTokens, completionTokens: 20 };
  return { complete: true, usage, refused, issuedIds: [] };
}

/** What a router's meter makes of the same requests, each finished when it ended. */
function meteredRecords(plan: Plan, requests: readonly RequestLine[], hash: Hash): readonly EvidenceRecord[] {
  const [first] = requests;
  const stage = plan.stages[first?.stageIndex ?? 0];
  if (first === undefined || stage === undefined) throw new Error('nothing to meter');
  const split: Split = {
    generation: first.stageIndex + 1,
    rollout: rolloutId(`${plan.route}@2026-11-24T09:00:00Z`),
    stage: stage.name,
    weights: stage.weights,
    upstreams: { stable: upstreamName('llama-31'), candidate: upstreamName('llama-32') },
    mirror: stage.mirror,
    salt: FILE_SALT,
    lease: { seconds: 900, onExpiry: 'stable' },
    metering: meteringFor(plan, stage, {}),
  };
  const route = new RouteMeter('replica', 'process');
  const meter = route.begin(split, first.at);
  if (meter === null) throw new Error('the split is not metered');
  const events = requests.flatMap((request) => {
    const { at, error, latencyMs, ttftMs } = request;
    let trial: ReturnType<typeof meter.begin> | null = null;
    const begin = () => {
      trial = meter.begin({
        variant: request.variant,
        stratum: stage.mirror.share > 0 ? 'paired' : 'served',
        mark: markUnit(hash, request.unit ?? ''),
        sampleHash: sampleHash(hash, split.salt, request.unit ?? ''),
        startedWallMs: at,
        startedMonotonicMs: at,
      });
    };
    const end = () =>
      trial?.finish({
        end: error === null ? 'complete' : error === 'aborted' ? 'aborted' : 'error',
        errorClass: error === 'aborted' ? null : error,
        status: 200,
        latencyMs: latencyMs ?? 0,
        ttftMs,
        facts: factsOf(request),
      });
    return [
      { at, order: 1, play: begin },
      { at: at + (latencyMs ?? 0), order: 0, play: end },
    ];
  });
  for (const { play } of events.toSorted((left, right) => left.at - right.at || left.order - right.order)) play();
  return route.closeAll();
}

/** Without what tells whose record it is. */
function contents(records: readonly EvidenceRecord[]) {
  return records.map(({ rollout: _rollout, replica: _replica, process: _process, ...rest }) => rest);
}

describe('RequestFold', () => {
  it.each(PLAN.stages.map(({ name }, index) => [name, index] as const))(
    'makes of the requests of %s the records that the router’s meter makes',
    async (_, stageIndex) => {
      const hash = await loadHash();
      const requests = requestsOf(stageIndex, 12);
      const fold = new RequestFold(PLAN, hash);
      for (const request of requests) fold.add(request);
      const folded = contents(fold.close(Infinity));
      expect(folded).toEqual(contents(meteredRecords(PLAN, requests, hash)));
      expect(folded.some(({ cacheMiss }) => (cacheMiss?.trials ?? 0) > 0)).toBe(true);
      expect(folded.filter(({ warmup }) => warmup)).toHaveLength(4);
    },
  );

  it('closes what ended, in order of end and generation', async () => {
    const fold = new RequestFold(PLAN, await loadHash());
    for (const stageIndex of [2, 1])
      for (const request of requestsOf(stageIndex, 3)) fold.add({ ...request, at: request.at - (request.at % 1000) });
    expect(fold.nextEndMs).toBe(START_MS + 1000);
    const closed = fold.close(START_MS + 2000).map(({ intervalStart, generation }) => [intervalStart, generation]);
    expect([...new Set(closed.map((place) => place.join(' ')))]).toEqual([
      `${START_MS} 2`,
      `${START_MS} 3`,
      `${START_MS + 1000} 2`,
      `${START_MS + 1000} 3`,
    ]);
    expect(fold.nextEndMs).toBe(START_MS + 3000);
  });

  it('leaves tokens out of a comparison of tokens when a line has none', async () => {
    const plan = fivePlan({
      guardrails: [
        errorRate(),
        {
          kind: 'cuts',
          name: 'tokens_per_response',
          action: 'flag',
          weight: 1,
          signal: 'tokens',
          quantiles: [0.5],
          limit: 1.5,
          histogram: { gamma: 1.5 ** (1 / 22), xMin: 0.001 },
          limitShift: 22,
          typicalEffect: 0.4,
        },
      ],
    });
    const fold = new RequestFold(plan, await loadHash());
    const [request] = requestsOf(1, 1);
    if (request === undefined) throw new Error('no request');
    fold.add({ ...request, error: null, completionTokens: null });
    fold.add({ ...request, error: null, completionTokens: 20 });
    const [record] = fold.close(Infinity);
    const counts = Object.values(record?.histograms['tokens_per_response']?.counts ?? {});
    expect(counts).toEqual([1]);
  });
});

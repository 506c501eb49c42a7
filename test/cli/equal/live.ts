/** The live pipeline from the meter on: routers meter requests, a worker files what they closed, and assesses it. */
import { Assessments } from '../../../activities/assessments.js';
import type { AssessmentReading, Crossing } from '../../../src/evidence/look.js';
import type { RatingRecord } from '../../../src/evidence/record.js';
import type { Ledger, RolloutRow } from '../../../src/ledger/ledger.js';
import { rolloutId } from '../../../src/plan/ids.js';
import { meteringFor } from '../../../src/plan/metering.js';
import type { Split } from '../../../src/plan/split.js';
import type { Plan } from '../../../src/plan/types.js';
import { markUnit, sampleHash } from '../../../src/router/choice.js';
import type { Hash } from '../../../src/router/choice.js';
import type { Trial } from '../../../src/router/meter/generation-meter.js';
import { RouteMeter } from '../../../src/router/meter/route-meter.js';
import type { Outcome } from '../../../src/router/proxy/outcome.js';
import { SALT, START_MS } from './requests.js';
import type { Request } from './requests.js';

const ROLLOUT = rolloutId('support@2026-11-24T09:00:00Z');
const POLL_MS = 2_700;
/** From an answer to its rating. */
const THOUGHT_MS = 1_500;

export interface LiveVerdicts {
  /** Of each stage, after the last of its evidence and all that followed it. */
  readonly readings: readonly AssessmentReading[];
  readonly breaches: readonly Crossing[];
}

interface Event {
  readonly at: number;
  /** Of several at one time: answers end, then requests start, then a worker collects. */
  readonly order: 0 | 1 | 2;
  readonly happen: () => void | Promise<void>;
}

/** Runs the requests through two routers, each with half of the units, a ledger and an assessment from it. */
export async function assessLive(
  plan: Plan,
  requests: readonly Request[],
  ledger: Ledger,
  hash: Hash,
): Promise<LiveVerdicts> {
  const row: RolloutRow = {
    rollout: ROLLOUT,
    route: plan.route,
    plan,
    salt: SALT,
    // The routers have seen nothing of stable before, as a log begins with its first line.
    seeds: {},
    startedAt: START_MS,
  };
  await ledger.openRollout(row);
  const routers = [new RouteMeter('router-1', 'a'), new RouteMeter('router-2', 'b')];
  let ratings: RatingRecord[] = [];
  const collect = async (now: number): Promise<void> => {
    const records = routers.flatMap((router) => router.close(now));
    const closedThrough = Math.min(...routers.map((router) => router.closedThroughMs));
    await ledger.commitEvidence({ rollout: ROLLOUT, records, ratings, closedThrough });
    ratings = [];
  };
  const last = await replay({ plan, requests, routers, hash, collect, rate: (rating) => ratings.push(rating) });
  await collect(last + plan.requestTimeoutMs + 60_000);

  return new Assessments(ledger).readAt(
    row,
    await ledger.closedThrough(ROLLOUT),
    { signal: new AbortController().signal },
    (assessment) => ({
      readings: plan.stages.map(({ name }) => assessment.read(name, { promoteFromGeneration: 0 })),
      breaches: assessment.breaches,
    }),
  );
}

interface Replay {
  readonly plan: Plan;
  readonly requests: readonly Request[];
  readonly routers: readonly RouteMeter[];
  readonly hash: Hash;
  readonly collect: (now: number) => Promise<void>;
  readonly rate: (rating: RatingRecord) => void;
}

/** Returns the time at which the last answer has ended. */
async function replay({ plan, requests, routers, hash, collect, rate }: Replay): Promise<number> {
  const events: Event[] = [];
  const end = requests.reduce((latest, { at, latencyMs }) => Math.max(latest, at + latencyMs), START_MS);
  for (let at = START_MS + POLL_MS; at <= end; at += POLL_MS) events.push({ at, order: 2, happen: () => collect(at) });
  let stageIndex = -1;
  for (const request of requests) {
    let trial: Trial | null = null;
    events.push(
      {
        at: request.at,
        order: 1,
        happen: () => {
          if (request.stageIndex > stageIndex) {
            stageIndex = request.stageIndex;
            for (const router of routers) router.begin(splitOf(plan, request), request.at);
          }
          const mark = markUnit(hash, request.unit);
          trial =
            routers[mark.bucket % 2]?.current?.begin({
              variant: request.variant,
              stratum: 'served',
              mark,
              sampleHash: sampleHash(hash, SALT, request.unit),
              startedWallMs: request.at,
              startedMonotonicMs: request.at - START_MS,
            }) ?? null;
        },
      },
      { at: request.at + request.latencyMs, order: 0, happen: () => trial?.finish(outcomeOf(request)) },
    );
    const ratedAt = request.at + request.latencyMs + THOUGHT_MS;
    const rating = ratingOf(request, ratedAt, hash);
    if (rating !== null) events.push({ at: ratedAt, order: 0, happen: () => rate(rating) });
  }
  for (const { happen } of events.toSorted((left, right) => left.at - right.at || left.order - right.order)) {
    await happen();
  }
  return end;
}

function ratingOf(request: Request, ratedAt: number, hash: Hash): RatingRecord | null {
  const { at, stageIndex, unit, variant, rating } = request;
  if (rating === null) return null;
  return {
    nonce: `${at} ${unit} ${request.latencyMs}`,
    rollout: ROLLOUT,
    generation: generationOf(stageIndex),
    stratum: 'served',
    variant,
    userBucket: markUnit(hash, unit).bucket,
    requestStartedAt: at,
    ratedAt,
    rating,
  };
}

/** A route has had splits before. */
function generationOf(stageIndex: number): number {
  return 4 + stageIndex;
}

function splitOf(plan: Plan, { stage, stageIndex }: Request): Split {
  return {
    generation: generationOf(stageIndex),
    rollout: ROLLOUT,
    stage: stage.name,
    weights: stage.weights,
    upstreams: { stable: plan.stable, candidate: plan.candidate },
    mirror: stage.mirror,
    salt: SALT,
    lease: plan.lease,
    metering: meteringFor(plan, stage, {}),
  };
}

/** As an exchange settles: without an answer there are no facts, and an answer with an error says no usage. */
function outcomeOf({ error, latencyMs, ttftMs, usage, refused }: Request): Outcome {
  if (error === 'aborted') return { end: 'aborted', errorClass: null, status: 200, latencyMs, ttftMs, facts: null };
  if (error === null) {
    const facts = { complete: true, usage, refused, issuedIds: [] };
    return { end: 'complete', errorClass: null, status: 200, latencyMs, ttftMs, facts };
  }
  const answered = error !== 'timeout' && error !== 'connect';
  const facts = answered ? { complete: false, usage: null, refused, issuedIds: [] } : null;
  return { end: 'error', errorClass: error, status: null, latencyMs, ttftMs, facts };
}

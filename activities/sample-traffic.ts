/** Watches the traffic of a stage: collects evidence, folds it as it closes, and returns when something matters. */
import { ApplicationFailure, Context } from '@temporalio/activity';
import type { Crossing, HardStop, Look } from '../src/evidence/look.js';
import { SluiceError } from '../src/plan/failures.js';
import type { RolloutId } from '../src/plan/ids.js';
import type { RolloutRow } from '../src/ledger/ledger.js';
import type { Assessment } from '../src/statistics/assessment/assessment.js';
import { firstUndealt } from './assessments.js';
import type { Assessments } from './assessments.js';
import type { World } from './dependencies.js';
import { RUN_CLOSED } from './failure.js';
import { beat, beating } from './heartbeat.js';
import { EMPTY_BOOKMARK, readBookmark } from './sampling/bookmark.js';
import type { Bookmark } from './sampling/bookmark.js';
import { Collector } from './sampling/collector.js';
import type { Poll } from './sampling/collector.js';
import { LedgerGate } from './sampling/ledger-gate.js';
import { TemporalTime } from './sampling/temporal-time.js';
import { WayBack } from './sampling/way-back.js';
import { stageOf, storedRollout } from './stored-rollout.js';
import type { SampleTrafficInput, SampleTrafficResult } from './types.js';

/** What this worker keeps between calls, by rollout. */
export type Bookmarks = Map<RolloutId, Bookmark>;

const MIRROR_IS_DEAD = 'mirror-not-arriving: requests are chosen to be mirrored and none is answered';

interface Watch {
  readonly world: World;
  readonly input: SampleTrafficInput;
  readonly row: RolloutRow;
  readonly collector: Collector;
  readonly assessments: Assessments;
  readonly wayBack: WayBack | null;
  readonly signal: AbortSignal;
}

/** What folding has found; null while the ledger does not answer. */
interface Finding {
  readonly crossing: Crossing | null;
  readonly promotable: boolean;
  readonly usedThrough: number;
}

/**
 * Polls every member until the first of: a crossing that the workflow has not dealt with, a hard stop, a change of the
 * evidence state, promote gates open (when asked for), or the time asked for. Resumes where an earlier attempt stopped.
 * @throws SluiceError `evidence-invalid` (a record contradicts itself: a person is asked), `rollout-unknown`,
 * `ledger-unavailable` when the ledger was away from the first moment to the last
 */
export async function sampleTraffic(
  world: World,
  assessments: Assessments,
  bookmarks: Bookmarks,
  input: SampleTrafficInput,
): Promise<SampleTrafficResult> {
  const { info } = Context.current();
  const warn = (message: string): void => world.log.warn(message, { rollout: input.rollout });
  const temporal = new TemporalTime({ ...world, info, warn });
  let bookmark = readBookmark(info.heartbeatDetails) ?? bookmarks.get(input.rollout) ?? EMPTY_BOOKMARK;
  const { signal, stop } = beating(() => bookmark);
  try {
    void temporal.refresh();
    const opened = await openLedger(world, input, temporal, signal);
    const stage = stageOf(opened.row, input.stage);
    const collector = new Collector({ world, input, stage, temporal, bookmark, ...opened });
    const wayBack = stage.kind === 'flip' ? new WayBack({ ...world, stable: opened.row.plan.stable }) : null;
    const watch: Watch = { world, input, row: opened.row, collector, assessments, wayBack, signal };
    const pollMs = Math.min(1_000, Math.max(250, input.split.metering.intervalMs / 4));
    for (;;) {
      wayBack?.probe(signal);
      const poll = await collector.poll(signal);
      bookmark = collector.bookmark();
      bookmarks.set(input.rollout, bookmark);
      beat(bookmark);
      if (temporal.closed) throw runClosed(input);
      const leftMs = input.forMs - temporal.sinceScheduledMs();
      const result = await judge(watch, poll, leftMs);
      if (result !== null) return result;
      if (!poll.more) await world.clock.sleep(Math.max(1, Math.min(pollMs, leftMs)), signal);
    }
  } finally {
    stop();
  }
}

/** The rollout and the frontier, waited for while the ledger is away. */
async function openLedger(
  world: World,
  input: SampleTrafficInput,
  temporal: TemporalTime,
  signal: AbortSignal,
): Promise<{ readonly row: RolloutRow; readonly closedThrough: number }> {
  const gate = new LedgerGate(world.clock, (message) => world.log.warn(message, { rollout: input.rollout }));
  for (;;) {
    const opened = await gate.through(async () => {
      const row = await storedRollout(world, input.rollout);
      return { row, closedThrough: await world.ledger.closedThrough(input.rollout) };
    }, signal);
    if (opened !== null) return opened.value;
    if (temporal.sinceScheduledMs() >= input.forMs) {
      throw new SluiceError('ledger-unavailable', 'the ledger did not answer for as long as this watch was to last');
    }
    await world.clock.sleep(gate.waitMs, signal);
  }
}

/** The result when something matters, in the order in which it matters; null = watch on. */
async function judge(watch: Watch, poll: Poll, leftMs: number): Promise<SampleTrafficResult | null> {
  const { collector, input } = watch;
  if (poll.hardStop.kind === 'hard-stop') {
    return resultOf(watch, poll, { reason: 'hard-stop', hardStop: poll.hardStop.starts });
  }
  const finding = await fold(watch);
  if (finding !== null && finding.crossing !== null) {
    const { crossing, usedThrough } = finding;
    return resultOf(watch, poll, { reason: 'crossing', crossing, closedThrough: usedThrough });
  }
  const { state } = collector.evidence;
  if (isOutOfForce(poll, input) || state !== input.evidence) return resultOf(watch, poll, { reason: 'evidence-state' });
  const told = input.flags;
  if (told !== undefined && flagsOf(watch).some((flag) => !told.includes(flag))) {
    return resultOf(watch, poll, { reason: 'evidence-state' });
  }
  if (finding?.promotable === true && mayPromote(watch)) {
    return resultOf(watch, poll, { reason: 'promote', closedThrough: finding.usedThrough });
  }
  return leftMs <= 0 ? resultOf(watch, poll, { reason: input.reason }) : null;
}

/** The workflow waits for it, and there is evidence now. */
function mayPromote({ collector, input }: Watch): boolean {
  return input.untilPromotable && collector.evidence.state === 'ok';
}

/**
 * An ab stage is decided at this interval, for something that the workflow has not heard. Where that would not end the watch,
 * folding must go on: the guardrails see nothing of what is not folded.
 */
function isDecided(watch: Watch, assessment: Assessment): boolean {
  const { stage, promoteFromGeneration, heard = [] } = watch.input;
  if (!mayPromote(watch)) return false;
  const finding = assessment.finding(stage, { promoteFromGeneration });
  if (finding === null || finding === 'undecided' || heard.includes(finding)) return false;
  return assessment.read(stage, { promoteFromGeneration }).promote.open;
}

function isPromotable(watch: Watch, assessment: Assessment): boolean {
  const { stage, promoteFromGeneration } = watch.input;
  if (!watch.input.untilPromotable) return false;
  if (assessment.finding(stage, { promoteFromGeneration }) !== null) return isDecided(watch, assessment);
  return assessment.read(stage, { promoteFromGeneration }).promote.open;
}

/** Folds what has closed, in interval order, and stops at the first crossing, or where an ab stage is decided. */
async function fold(watch: Watch): Promise<Finding | null> {
  const { collector, assessments, row, input, signal } = watch;
  if (!collector.gate.open) return null;
  const folded = await collector.gate.through(
    () =>
      assessments.foldTo(
        row,
        collector.committedThrough,
        {
          signal,
          stopAt: (assessment) => firstUndealt(assessment, input.ignore) !== null || isDecided(watch, assessment),
          onProgress: () => beat(collector.bookmark()),
        },
        (assessment): Finding => ({
          crossing: firstUndealt(assessment, input.ignore),
          promotable: isPromotable(watch, assessment),
          usedThrough: assessment.closedThrough,
        }),
      ),
    signal,
  );
  return folded?.value ?? null;
}

/** The split must be written again under a higher generation: its lease ran out, or somebody wrote a higher one. */
function isOutOfForce(poll: Poll, input: SampleTrafficInput): boolean {
  return expiredOf(poll).length > 0 || highestOf(poll, input) > input.split.generation;
}

function expiredOf(poll: Poll): readonly { readonly address: string; readonly notInForceMs: number }[] {
  return poll.readings.flatMap((reading) =>
    reading.kind === 'answered' && reading.standing.kind === 'expired'
      ? [{ address: reading.member.address, notInForceMs: reading.standing.notInForceMs }]
      : [],
  );
}

function highestOf(poll: Poll, input: SampleTrafficInput): number {
  const seen = poll.readings.map((reading) =>
    reading.kind === 'answered' && reading.standing.kind === 'foreign' ? reading.standing.generation : 0,
  );
  return Math.max(input.split.generation, ...seen);
}

function flagsOf({ collector, wayBack }: Watch): readonly string[] {
  const lost = wayBack?.flag ?? null;
  return [...(lost === null ? [] : [lost]), ...(collector.mirrorIsDead ? [MIRROR_IS_DEAD] : [])];
}

interface Outcome {
  readonly reason: Look['why'];
  readonly crossing?: Crossing;
  readonly hardStop?: HardStop;
  readonly closedThrough?: number;
}

function resultOf(watch: Watch, poll: Poll, outcome: Outcome): SampleTrafficResult {
  const { collector, input } = watch;
  const expired = expiredOf(poll);
  const outOfForce = isOutOfForce(poll, input);
  const named = collector.evidence;
  return {
    reason: outcome.reason,
    position: { closedThrough: outcome.closedThrough ?? collector.committedThrough },
    evidence: outOfForce ? 'router-not-converged' : named.state,
    detail: named.detail !== '' || !outOfForce ? named.detail : outOfForceDetail(poll),
    crossing: outcome.crossing ?? null,
    hardStop: outcome.hardStop ?? null,
    members: collector.roster.members,
    highestGeneration: highestOf(poll, input),
    expired: expired.map(({ address }) => address),
    notInForceMs: Math.max(0, ...expired.map(({ notInForceMs }) => notInForceMs)),
    flags: flagsOf(watch),
  };
}

function outOfForceDetail(poll: Poll): string {
  const words = poll.readings.flatMap((reading) => {
    if (reading.kind !== 'answered') return [];
    const { standing, member } = reading;
    if (standing.kind === 'expired') return [`the lease ran out at ${member.address}`];
    return standing.kind === 'foreign' ? [`${member.address} ${standing.why}`] : [];
  });
  return words.join('; ');
}

function runClosed(input: SampleTrafficInput): ApplicationFailure {
  return ApplicationFailure.create({
    type: RUN_CLOSED,
    message: `the run that watches ${input.rollout} has ended`,
    nonRetryable: true,
  });
}

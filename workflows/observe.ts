/** One round of evidence: collect until something matters, then take a look. */
import type { SampleTrafficInput, SampleTrafficResult } from '../activities/types.js';
import type { Crossing, HardStop } from '../src/evidence/look.js';
import type { Split } from '../src/plan/split.js';
import { calls, samplingOptions } from './activity-proxies.js';
import { attempt } from './attempt.js';
import { setBackClock, stopClock } from './clock.js';
import { holdOnFailure } from './hold.js';
import { interruptible } from './interruptible.js';
import type { Return } from './next-return.js';
import { flag, tell } from './outbox.js';
import { currentStage } from './run.js';
import type { Run } from './run.js';
import type { RolloutState } from './state.js';
import { span } from './words.js';

/** What the collector has found beside the look. */
export interface Findings {
  readonly crossing: Crossing | null;
  readonly hardStop: HardStop | null;
}

export const NOTHING_FOUND: Findings = { crossing: null, hardStop: null };

/**
 * Collects evidence until the time asked for, a finding, a command or `wake`, and takes a look. An activity that has run out
 * of attempts holds the rollout.
 */
export async function observe(run: Run, split: Split, until: Return, wake?: () => boolean): Promise<Findings> {
  const { state } = run;
  const options = samplingOptions(currentStage(state), until.forMs);
  const input = samplingInput(state, split, until);
  const sampled = await interruptible(
    run,
    () => attempt(calls(state.taskQueue).sampleTraffic(input, samplingSummary(state, until), options)),
    wake,
  );
  if (sampled === null || holdOnFailure(run, sampled)) return NOTHING_FOUND;
  const { value: result } = sampled;
  absorb(run, split, result);
  if (result.reason === 'scheduled' && until.look !== null) state.scheduledLooks = until.look + 1;
  // First the traffic, then the look: a rollback does not wait for the ledger.
  if (result.hardStop === null && result.crossing?.family !== 'rollback') await takeLook(run, result);
  return { crossing: result.crossing, hardStop: result.hardStop };
}

/** The id of the next look; fixed before the call, so that a retry records the same one. */
export function nextLookId(state: RolloutState): string {
  state.lookNumber += 1;
  return `${state.rollout}/${currentStage(state).name}/${state.lookNumber}`;
}

async function takeLook(run: Run, { position, reason }: SampleTrafficResult): Promise<void> {
  const { state } = run;
  const { name: stage } = currentStage(state);
  const { rollout, promoteFromGeneration } = state;
  const input = { rollout, stage, position, promoteFromGeneration, lookId: nextLookId(state), why: reason };
  const summary = `${stage}: look ${state.lookNumber} (${reason})`;
  const look = await interruptible(run, () => attempt(calls(state.taskQueue).assess(input, summary)));
  if (look === null || holdOnFailure(run, look)) return;
  state.look = look.value;
  state.lookedAt = Date.now();
}

function samplingInput(
  state: RolloutState,
  split: Split,
  { forMs, reason, untilPromotable }: Return,
): SampleTrafficInput {
  return {
    rollout: state.rollout,
    route: state.plan.route,
    stage: currentStage(state).name,
    split,
    members: state.members,
    evidence: state.evidence,
    promoteFromGeneration: state.promoteFromGeneration,
    untilPromotable,
    ...(state.heard === undefined || state.heard.length === 0 ? {} : { heard: state.heard }),
    flags: state.flags,
    ignore: { hold: [...state.acknowledged, ...(state.hold?.guardrails ?? [])], flag: state.flagged },
    forMs,
    reason,
  };
}

function samplingSummary(state: RolloutState, { forMs, look, untilPromotable }: Return): string {
  const { name, kind, lookTimesMs } = currentStage(state);
  const decided = kind === 'ab' ? ', until it is decided' : ', until it may be promoted';
  const scheduled = look === null ? '' : `, look ${look + 1} of ${lookTimesMs.length}`;
  return `${name}: watch for ${span(forMs)}${scheduled}${untilPromotable ? decided : ''}`;
}

function absorb(run: Run, split: Split, result: SampleTrafficResult): void {
  const { state } = run;
  state.members = result.members;
  state.position = result.position;
  state.generation = Math.max(state.generation, result.highestGeneration);
  if (result.evidence !== state.evidence && state.look !== null) {
    tell(
      run,
      'evidence',
      `${result.evidence}${result.detail === '' ? '' : `: ${result.detail}`} (was ${state.evidence})`,
    );
  }
  state.evidence = result.evidence;
  state.evidenceDetail = result.detail;
  for (const text of result.flags) {
    if (state.flags.includes(text)) continue;
    flag(run, text);
    tell(run, 'flagged', text);
  }
  if (result.expired.length > 0 || result.highestGeneration > split.generation) leaveForce(run, result);
  else state.failures = 0;
}

/** The split is not in force everywhere: it is written again under a new generation, and evidence starts afresh. */
function leaveForce(run: Run, { expired, highestGeneration, notInForceMs = 0 }: SampleTrafficResult): void {
  const { state } = run;
  const now = Date.now();
  state.splitConfirmed = false;
  if (state.clock !== null) state.clock = stopClock(setBackClock(state.clock, notInForceMs, now), now);
  flag(
    run,
    expired.length > 0
      ? `the lease ran out at ${expired.join(', ')}: not in force for ${span(notInForceMs)}, evidence for promotion starts afresh`
      : `a router held generation ${highestGeneration}: somebody else wrote a split; it is written again`,
  );
}

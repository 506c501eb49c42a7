/**
 * A fleet and a collector that follow a script, in place of the real activities. The collector waits on the server's clock,
 * which tests skip: it fails its first attempt and asks to be tried again when there is something to say.
 */
import { activityInfo } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type {
  Activities,
  CheckGatesInput,
  CheckGatesResult,
  OpenRolloutInput,
  OpenRolloutResult,
  SampleTrafficInput,
  SampleTrafficResult,
  SetSplitInput,
  SetSplitResult,
} from '../../activities/types.js';
import type { Look } from '../../src/evidence/look.js';
import { rolloutId } from '../../src/plan/ids.js';
import type { Metering, Split } from '../../src/plan/split.js';
import type { Decision } from '../../src/plan/status.js';
import type { Plan, StagePlan } from '../../src/plan/types.js';
import { look } from './looks.js';

/** What the collector finds, `afterMs` into the evidence of a stage (its first collecting, on the server's clock). */
export interface Finding {
  readonly stage: string;
  readonly afterMs: number;
  readonly result: Partial<SampleTrafficResult>;
}

export interface FakeMember {
  readonly address: string;
  reachable: boolean;
  split: Split | null;
}

/** A call of an activity, with its input. */
export type Call = {
  readonly [Name in keyof Activities]: { readonly name: Name; readonly input: Parameters<Activities[Name]>[0] };
}[keyof Activities];

export interface FakeWorld {
  readonly plan: Plan;
  readonly activities: Activities;
  readonly fleet: readonly FakeMember[];
  /** In the order in which they were made, each once however many attempts it took; `at` is the server's clock. */
  readonly calls: (Call & { readonly at: number })[];
  readonly findings: Finding[];
  /** The look of a stage; replace it to change what the evidence says. */
  lookOf: (stage: string, at: number) => Partial<Look>;
  /** Runs first in every attempt of an activity: throw to make it fail. */
  before: (call: Call) => void;
  /** Waited for in every attempt of an activity, where time is real. */
  during: (call: Call) => Promise<void>;
  /** Decisions that reached the ledger. */
  readonly ledger: Decision[];
  readonly told: { readonly event: string; readonly text: string }[];
  /** Splits as the members took them. */
  readonly written: Split[];
}

export interface FakeOptions {
  readonly members?: number;
  readonly highestGeneration?: number;
  /** What opening the rollout has to tell people. */
  readonly flags?: readonly string[];
  readonly checkGates?: (input: CheckGatesInput) => CheckGatesResult;
  readonly workflowChecks?: Record<string, { workflowType: string; taskQueue: string; timeoutMs: number }>;
}

export function createFakeWorld(plan: Plan, options: FakeOptions = {}): FakeWorld {
  const fleet = Array.from({ length: options.members ?? 2 }, (_, index): FakeMember => ({
    address: `http://router-${index + 1}:8701`,
    reachable: true,
    split: null,
  }));
  const members = fleet.map(({ address }) => ({ address, tokenEnv: 'SLUICE_ADMIN_TOKEN' }));
  const stageBegan = new Map<string, number>();
  let evidence: SampleTrafficResult['evidence'] = 'ok';
  const world: FakeWorld = {
    plan,
    fleet,
    calls: [],
    findings: [],
    lookOf: () => ({}),
    before: () => {},
    during: async () => {},
    ledger: [],
    told: [],
    written: [],
    activities: {
      openRollout: (input) => traced({ name: 'openRollout', input }, () => opened(input)),
      setSplit: (input) => traced({ name: 'setSplit', input }, () => write(input.split, input.confirm)),
      reconcileRoutes: (input) => traced({ name: 'reconcileRoutes', input }, () => write(input.split, 'reach')),
      sampleTraffic: (input) => traced({ name: 'sampleTraffic', input }, () => collect(input)),
      assess: (input) =>
        traced({ name: 'assess', input }, () => {
          const { lookId: id, rollout, stage, why, position } = input;
          return look({ id, rollout, stage, why, position, at: now(), ...world.lookOf(stage, now()) });
        }),
      checkGates: (input) => traced({ name: 'checkGates', input }, () => checkGates(input)),
      notify: (input) =>
        traced({ name: 'notify', input }, () => {
          world.told.push({ event: input.event, text: input.text });
          return { delivered: ['ops'], failed: [] };
        }),
      recordDecision: (input) =>
        traced({ name: 'recordDecision', input }, () => {
          world.ledger[input.sequence - 1] = input.decision;
        }),
    },
  };
  const { checkGates = () => ({ gates: [], opensAt: null }) } = options;

  async function traced<Result>(call: Call, act: () => Result): Promise<Result> {
    if (activityInfo().attempt === 1) world.calls.push({ ...call, at: now() });
    world.before(call);
    await world.during(call);
    return act();
  }

  function opened({ startedAt, salt }: OpenRolloutInput): OpenRolloutResult {
    return {
      plan,
      rollout: rolloutId(`${plan.route}@${new Date(startedAt).toISOString()}`),
      salt,
      members,
      highestGeneration: options.highestGeneration ?? 6,
      metering: Object.fromEntries(plan.stages.map((stage) => [stage.name, meteringOf(plan, stage)])),
      workflowChecks: options.workflowChecks ?? {},
      ...(options.flags && { flags: options.flags }),
    };
  }

  function write(split: Split, confirm: 'all' | 'reach'): SetSplitResult {
    const highest = Math.max(0, ...fleet.map((member) => member.split?.generation ?? 0));
    const confirmed = fleet.filter((member) => take(member, split)).map(({ address }) => address);
    const outstanding = fleet.filter((member) => !confirmed.includes(member.address)).map(({ address }) => address);
    if (confirm === 'all' && outstanding.length > 0)
      throw ApplicationFailure.create({
        type: 'fleet-not-converged',
        message: `not confirmed by ${outstanding.join(', ')}`,
      });
    return {
      members,
      confirmed,
      outstanding,
      highestGeneration: Math.max(highest, split.generation),
    };
  }

  function take(member: FakeMember, split: Split): boolean {
    if (!member.reachable) return false;
    if (member.split !== null && member.split.generation > split.generation) return false;
    if (member.split?.generation !== split.generation) world.written.push(split);
    member.split = split;
    return true;
  }

  function collect(input: SampleTrafficInput): SampleTrafficResult {
    const { scheduledTimestampMs: called, attempt } = activityInfo();
    const began = stageBegan.get(input.stage) ?? called;
    stageBegan.set(input.stage, began);
    const index = world.findings.findIndex(
      ({ stage, afterMs }) => stage === input.stage && began + afterMs <= called + input.forMs,
    );
    const finding = world.findings[index];
    const promotable = input.untilPromotable && isPromotable(world.lookOf(input.stage, called), input);
    const waitMs =
      finding === undefined ? (promotable ? 0 : input.forMs) : Math.max(0, began + finding.afterMs - called);
    if (attempt === 1 && waitMs > 0)
      throw ApplicationFailure.create({ message: 'the fake collector watches on', nextRetryDelay: waitMs });
    if (finding !== undefined) world.findings.splice(index, 1);
    evidence = finding?.result.evidence ?? evidence;
    return {
      reason: finding === undefined ? (promotable ? 'promote' : input.reason) : reasonOf(finding.result, input),
      position: { closedThrough: called + waitMs },
      evidence,
      detail: evidence === 'ok' ? '' : `the script says ${evidence}`,
      crossing: null,
      hardStop: null,
      members,
      highestGeneration: input.split.generation,
      expired: [],
      flags: [],
      ...finding?.result,
    };
  }

  return world;
}

/** What the collector was asked to do, in order. */
export function samplingsOf({ calls }: FakeWorld): SampleTrafficInput[] {
  return calls.flatMap((call) => (call.name === 'sampleTraffic' ? [call.input] : []));
}

/** The splits that the workflow asked to have written, in order. */
export function writesOf({ calls }: FakeWorld): SetSplitInput[] {
  return calls.flatMap((call) => (call.name === 'setSplit' ? [call.input] : []));
}

function meteringOf(plan: Plan, { intervalMs, warmupMs, feedbackHorizonMs }: StagePlan): Metering {
  const { requestTimeoutMs } = plan;
  return { intervalMs, warmupMs, feedbackHorizonMs, requestTimeoutMs, histograms: {}, strata: ['served'] };
}

/** The gates are open, and in an ab stage for something that a person has not heard of. */
function isPromotable({ promote, ab }: Partial<Look>, { heard = [] }: SampleTrafficInput): boolean {
  if (promote?.open === false) return false;
  return ab === undefined || ab === null || !heard.includes(ab.finding);
}

function reasonOf(result: Finding['result'], input: SampleTrafficInput): SampleTrafficResult['reason'] {
  if (result.hardStop) return 'hard-stop';
  if (result.crossing) return 'crossing';
  return result.evidence === undefined ? input.reason : 'evidence-state';
}

/** The server's clock, as the current attempt shows it. */
function now(): number {
  return activityInfo().currentAttemptScheduledTimestampMs;
}

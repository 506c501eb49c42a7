/** One rollout's evidence on its way from the routers to the ledger: poll, commit, acknowledge, renew. */
import { advanceFleetFrontier, startFleetFrontier } from '../../src/evidence/fleet-frontier.js';
import type { FleetFrontier } from '../../src/evidence/fleet-frontier.js';
import { incompleteRecords } from '../../src/evidence/incomplete-records.js';
import type { EvidenceRecord } from '../../src/evidence/record.js';
import type { RolloutRow } from '../../src/ledger/ledger.js';
import type { StagePlan } from '../../src/plan/types.js';
import { hardStop } from '../../src/statistics/assessment/hard-stop.js';
import type { HardStopVerdict } from '../../src/statistics/assessment/hard-stop.js';
import type { World } from '../dependencies.js';
import { reasonOf } from '../failure.js';
import type { SampleTrafficInput } from '../types.js';
import type { Bookmark } from './bookmark.js';
import { clockSkew } from './clock-skew.js';
import { nameState, observe, startCondition } from './evidence-state.js';
import type { EvidenceCondition, NamedState } from './evidence-state.js';
import { FleetRoster } from './fleet-roster.js';
import { LeaseKeeper } from './lease-keeper.js';
import { LedgerGate } from './ledger-gate.js';
import { readMember } from './member-reading.js';
import type { AnsweredReading, MemberReading } from './member-reading.js';
import type { TemporalTime } from './temporal-time.js';
import { quietAfterMs, startTrafficWatch, watchTraffic } from './traffic-watch.js';
import type { TrafficWatch } from './traffic-watch.js';

/** A member that is silent for longer no longer holds up the evidence of the others, ms. */
const SILENCE_MS = 60_000;
const SILENCE_OF_SHORT_STAGES_MS = 10_000;
const SHORT_STAGE_MS = 600_000;

/** A router's clock may be this far behind Temporal's, ms. */
const CLOCK_TOLERANCE_MS = 5_000;

export interface CollectorOptions {
  readonly world: World;
  readonly input: SampleTrafficInput;
  readonly row: RolloutRow;
  readonly stage: StagePlan;
  readonly temporal: TemporalTime;
  readonly bookmark: Bookmark;
  /** The ledger's frontier at the start, Unix ms. */
  readonly closedThrough: number;
}

export interface Poll {
  readonly readings: readonly MemberReading[];
  readonly hardStop: HardStopVerdict;
  /** A member has more to tell at once. */
  readonly more: boolean;
}

export class Collector {
  readonly gate: LedgerGate;
  readonly #options: CollectorOptions;
  readonly #roster: FleetRoster;
  readonly #leases: LeaseKeeper;
  readonly #cursors: Map<string, string>;
  readonly #acknowledged = new Map<string, string>();
  #frontier: FleetFrontier;
  #committedThrough: number;
  #committedAt: number | null = null;
  #traffic: TrafficWatch;
  #condition: EvidenceCondition;
  #mirror = { chosen: 0, answered: 0 };

  constructor(options: CollectorOptions) {
    const { world, input, row, stage, bookmark, temporal } = options;
    this.#options = options;
    // Nothing ended before the rollout began: a member that is silent from the start owes nothing of the time before.
    const closedThrough = Math.max(options.closedThrough, row.startedAt - CLOCK_TOLERANCE_MS);
    const warn = (message: string): void => world.log.warn(message, { rollout: input.rollout });
    this.gate = new LedgerGate(world.clock, warn);
    this.#roster = new FleetRoster(world, input.members);
    this.#leases = new LeaseKeeper({ ...world, route: input.route, split: input.split, warn });
    this.#cursors = new Map(Object.entries(bookmark.cursors));
    const leaseMs = (input.split.lease?.seconds ?? 0) * 1_000;
    this.#frontier = startFleetFrontier({
      rollout: input.rollout,
      intervalMs: input.split.metering.intervalMs,
      graceMs: stage.durationMs < SHORT_STAGE_MS ? SILENCE_OF_SHORT_STAGES_MS : SILENCE_MS,
      closedThrough,
      members: input.members.map(({ address }) => ({
        address,
        generation: input.split.generation,
        // Nobody can have been given more than a whole lease up to now.
        leaseEndsAt: bookmark.leaseEndsAt[address] ?? temporal.now() + leaseMs,
      })),
    });
    this.#committedThrough = closedThrough;
    this.#condition = startCondition(input.evidence);
    this.#traffic = startTrafficWatch(this.#condition.quiet, bookmark.lastStartAt);
  }

  get roster(): FleetRoster {
    return this.#roster;
  }

  /** Every interval that ended at or before this is committed and closed on the whole fleet, Unix ms. */
  get committedThrough(): number {
    return this.#committedThrough;
  }

  get evidence(): NamedState {
    return nameState(this.#condition);
  }

  /** Requests were chosen to be mirrored, and none was ever answered. */
  get mirrorIsDead(): boolean {
    return this.#mirror.chosen >= 20 && this.#mirror.answered === 0;
  }

  bookmark(): Bookmark {
    const leases = Object.entries(this.#frontier.members).flatMap(([address, { leaseEndsAt }]) =>
      leaseEndsAt === null ? [] : [[address, leaseEndsAt] as const],
    );
    return {
      cursors: Object.fromEntries(this.#cursors),
      leaseEndsAt: Object.fromEntries(leases),
      lastStartAt: this.#traffic.lastStartAt,
    };
  }

  /** @throws SluiceError `evidence-invalid`; the signal's reason */
  async poll(signal: AbortSignal): Promise<Poll> {
    const { world, input, temporal } = this.#options;
    await this.#roster.refresh(signal);
    const members = this.#roster.members;
    if (members.some(({ address }) => this.#leases.isDue(address))) void temporal.refresh();
    const context = { ...world, route: input.route, split: input.split, headOnly: !this.gate.open };
    const readings = await Promise.all(
      members.map((member) => readMember(context, member, this.#cursors.get(member.address) ?? null, signal)),
    );
    const answered = readings.filter((reading) => reading.kind === 'answered');
    const committed = context.headOnly ? this.#withoutLedger(readings) : await this.#commit(readings, signal);
    await this.#renew(answered, signal);
    return this.#judge(readings, answered, committed);
  }

  /** The ledger takes nothing: only who answers is kept in mind, for the pages will be read again. */
  #withoutLedger(readings: readonly MemberReading[]): null {
    for (const reading of readings) {
      if (reading.kind === 'silent') this.#frontier = advanceWith(this.#frontier, reading, this.#options.input);
    }
    return null;
  }

  /** The records committed; null when the ledger took nothing. */
  async #commit(readings: readonly MemberReading[], signal: AbortSignal): Promise<readonly EvidenceRecord[] | null> {
    const { world, input } = this.#options;
    const answered = readings.filter((reading) => reading.kind === 'answered');
    const next = readings.reduce((state, reading) => advanceWith(state, reading, input), this.#frontier);
    const records = answered.flatMap(({ pages }) => pages.flatMap((page) => page.records));
    const ratings = answered.flatMap(({ pages }) => pages.flatMap((page) => page.ratings));
    const needed =
      records.length + ratings.length + next.incomplete.length > 0 ||
      next.closedThrough > this.#committedThrough ||
      answered.some(({ member }) => this.#leases.isDue(member.address));
    if (needed) {
      const missing = incompleteRecords(next, { generation: input.split.generation, stage: input.stage });
      const batch = {
        rollout: input.rollout,
        records: [...records, ...missing],
        ratings,
        closedThrough: next.closedThrough,
      };
      const commit = await this.gate.through(() => world.ledger.commitEvidence(batch), signal);
      if (commit === null) return this.#withoutLedger(readings);
      this.#committedThrough = Math.max(this.#committedThrough, commit.value.closedThrough);
      this.#committedAt = world.clock.monotonicMs();
    }
    this.#frontier = advanceFleetFrontier(next, { kind: 'committed' });
    for (const { member, last } of answered) this.#cursors.set(member.address, last.cursor);
    await this.#acknowledge(answered, signal);
    return records;
  }

  /** After the commit and never before it; what is lost here is sent again and counts once. */
  async #acknowledge(answered: readonly AnsweredReading[], signal: AbortSignal): Promise<void> {
    const { world, input } = this.#options;
    await Promise.all(
      answered.map(async ({ member, last }) => {
        if (this.#acknowledged.get(member.address) === last.cursor) return;
        try {
          await world.backend.acknowledge(member, input.route, last.cursor, signal);
          this.#acknowledged.set(member.address, last.cursor);
        } catch (error) {
          signal.throwIfAborted();
          world.log.warn(`${member.address} was not told that its evidence is kept: ${reasonOf(error)}; told again`);
        }
      }),
    );
  }

  async #renew(answered: readonly AnsweredReading[], signal: AbortSignal): Promise<void> {
    const { input, temporal } = this.#options;
    const inForce: AnsweredReading[] = [];
    for (const reading of answered) {
      const { address } = reading.member;
      if (reading.standing.kind === 'mended') this.#leases.written(address);
      if (reading.standing.kind !== 'in-force') continue;
      this.#leases.read(address);
      inForce.push(reading);
    }
    const renewed = await this.#leases.renew(
      inForce.map(({ member }) => member),
      { runOpenAt: temporal.openSeenAt, committedAt: this.#committedAt },
      signal,
    );
    const leaseMs = (input.split.lease?.seconds ?? 0) * 1_000;
    for (const { member, last } of inForce) {
      if (!renewed.includes(member.address)) continue;
      const leaseEndsAt = last.now + leaseMs;
      this.#frontier = advanceFleetFrontier(this.#frontier, { kind: 'renewed', address: member.address, leaseEndsAt });
    }
  }

  #judge(
    readings: readonly MemberReading[],
    answered: readonly AnsweredReading[],
    committed: readonly EvidenceRecord[] | null,
  ): Poll {
    const { world, input, stage, temporal } = this.#options;
    const inForce = answered.filter(({ standing }) => standing.kind === 'in-force');
    const verdict = hardStop(inForce.map(({ last }) => last.open.recent));
    const monotonic = world.clock.monotonicMs();
    const now = temporal.now();
    const reference = { at: (time: number): number => now - (monotonic - time), exact: temporal.exact };
    // Without the ledger intervals close unseen: that is no word on whether anybody asks.
    if (committed !== null) this.#traffic = watchTraffic(this.#traffic, answered, committed, quietAfterMs(stage));
    this.#condition = observe(this.#condition, {
      readings,
      listed: this.#roster.listed,
      skew: clockSkew(answered, reference, input.split.metering.intervalMs),
      hardStop: verdict,
      traffic: this.#traffic,
    });
    const mirrors = inForce.map(({ last }) => last.open.mirror);
    this.#mirror = {
      chosen: mirrors.reduce((sum, { chosen }) => sum + chosen, 0),
      answered: mirrors.reduce((sum, mirror) => sum + mirror.answered, 0),
    };
    return { readings, hardStop: verdict, more: this.gate.open && answered.some(({ last }) => last.more) };
  }
}

function advanceWith(state: FleetFrontier, reading: MemberReading, input: SampleTrafficInput): FleetFrontier {
  const { address } = reading.member;
  if (reading.kind === 'silent') return advanceFleetFrontier(state, { kind: 'unanswered', address, at: reading.at });
  const heard = reading.pages.reduce(
    (frontier, page) => advanceFleetFrontier(frontier, { kind: 'page', address, page }),
    state,
  );
  if (reading.standing.kind !== 'mended') return heard;
  const { generation } = input.split;
  const leaseEndsAt = reading.standing.leaseExpiresAt;
  return advanceFleetFrontier(heard, { kind: 'confirmed', address, generation, leaseEndsAt });
}

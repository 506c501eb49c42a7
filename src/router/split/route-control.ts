import type { RouteView, WriteOutcome } from '../../backends/traffic-backend.js';
import type { RouteName, UpstreamName } from '../../plan/ids.js';
import { isResting } from '../../plan/split.js';
import type { Split } from '../../plan/split.js';
import type { Clock } from '../clock.js';
import { errorText } from '../log.js';
import type { Log } from '../log.js';
import type { RouteMeter } from '../meter/route-meter.js';
import type { Upstream } from '../proxy/upstream.js';
import { inForce } from './active-split.js';
import type { ActiveSplit, LeaseTerm, SplitTable } from './active-split.js';
import { judgeWrite } from './fencing.js';
import type { RestoredSplit } from './restore.js';
import type { SplitStore } from './split-store.js';

export type RenewOutcome = 'renewed' | 'not-current' | 'expired';

/** A split named an upstream that this router does not know. */
export interface UnknownUpstream {
  readonly kind: 'unknown-upstream';
  readonly upstream: string;
}

export interface RouteControlOptions {
  readonly route: RouteName;
  /** The stable upstream that `sluice.yaml` names. */
  readonly configured: UpstreamName;
  readonly replica: string;
  readonly process: string;
  readonly upstreams: ReadonlyMap<string, Upstream>;
  readonly table: SplitTable;
  readonly store: SplitStore;
  readonly meter: RouteMeter;
  readonly clock: Clock;
  readonly log: Log;
}

/** Writes, leases and the view of one route. Decisions are taken in one turn of the event loop, so that none interleave. */
export class RouteControl {
  readonly #options: RouteControlOptions;
  #active: ActiveSplit;
  #adopted: boolean;
  #expirySeen = false;
  /** What is on disk is older than what is obeyed. */
  #unsaved = false;

  constructor(options: RouteControlOptions, restored: RestoredSplit) {
    this.#options = options;
    this.#adopted = restored.adopted;
    this.#active = this.#activate(restored.split, restored.activatedAtMs, restored.lease);
    this.#unsaved = restored.changed;
    if (restored.note !== null) this.#log('warn', 'split-restored', restored.note);
  }

  get active(): ActiveSplit {
    return this.#active;
  }

  get inForce(): boolean {
    return inForce(this.#active, this.#options.clock.monotonicMs());
  }

  /**
   * Resolves when the split is obeyed and durable. It is obeyed first: taking a candidate out must not wait for a disk.
   * Rejects with the file system's error when it could not be saved; a repetition tries again.
   */
  async write(split: Split, takeOver: { readonly reason: string } | null): Promise<WriteOutcome | UnknownUpstream> {
    const { upstreams, clock } = this.#options;
    for (const upstream of [split.upstreams.stable, split.upstreams.candidate]) {
      if (upstream !== null && !upstreams.has(upstream)) return { kind: 'unknown-upstream', upstream };
    }
    const judgement = judgeWrite(this.#active.split, this.inForce, split, takeOver !== null);
    switch (judgement) {
      case 'stale':
      case 'owned':
        this.#log(
          'warn',
          `split-${judgement}`,
          `generation ${split.generation} of ${split.rollout ?? 'no rollout'} was refused`,
        );
        return { kind: judgement, current: this.view() };
      case 'repeat':
        break;
      case 'accept': {
        const before = this.#active.split;
        const now = clock.wallMs();
        const leaseMs = split.lease === null ? null : split.lease.seconds * 1000;
        this.#adopted = isResting(split) && split.upstreams.stable === this.#options.configured;
        this.#active = this.#activate(
          split,
          now,
          leaseMs === null
            ? null
            : { deadlineMonotonicMs: clock.monotonicMs() + leaseMs, deadlineWallMs: now + leaseMs },
        );
        const by = takeOver === null ? '' : `, taken over from ${before.rollout ?? 'no rollout'}: ${takeOver.reason}`;
        this.#log(
          'info',
          'split-written',
          `generation ${split.generation} of ${split.rollout ?? 'no rollout'}, candidate ${split.weights.candidate}${by}`,
        );
        this.#unsaved = true;
      }
    }
    if (this.#unsaved) await this.#save();
    return { kind: 'confirmed', view: this.view() };
  }

  /** Writes down what the start of the process has changed. */
  async saveChanges(): Promise<void> {
    if (this.#unsaved) await this.#save();
  }

  /** Starts the lease anew, if it is this rollout's current one and has not run out. */
  async renew(rollout: string, generation: number): Promise<RenewOutcome> {
    const { clock } = this.#options;
    const active = this.#active;
    if (active.split.rollout !== rollout || active.split.generation !== generation) return 'not-current';
    if (active.split.lease === null) return 'not-current';
    if (!this.inForce) return 'expired';
    const leaseMs = active.split.lease.seconds * 1000;
    const lease = { deadlineMonotonicMs: clock.monotonicMs() + leaseMs, deadlineWallMs: clock.wallMs() + leaseMs };
    this.#active = { ...active, lease };
    this.#options.table.replace(this.#options.route, this.#active);
    try {
      await this.#save();
    } catch (error) {
      // A restart would find the older deadline, which is the safe side.
      this.#log('error', 'lease-not-saved', errorText(error));
    }
    return 'renewed';
  }

  /** Says once that the lease has run out, and makes it last over a restart. Never rejects. */
  async noteExpiry(): Promise<void> {
    if (this.#expirySeen || this.inForce) return;
    this.#expirySeen = true;
    const { split } = this.#active;
    const serves = split.lease?.onExpiry === 'keep' ? 'the weights are kept' : 'stable serves everyone';
    const of = `generation ${split.generation} of ${split.rollout ?? 'no rollout'}`;
    this.#log('warn', 'lease-expired', `${of} is not in force: ${serves}`);
    try {
      await this.#save();
    } catch (error) {
      this.#log('error', 'split-not-saved', errorText(error));
    }
  }

  view(): RouteView {
    const { route, replica, process, clock, upstreams, meter } = this.#options;
    return {
      route,
      replica,
      process,
      now: clock.wallMs(),
      split: this.#active.split,
      inForce: this.inForce,
      leaseExpiresAt: this.#active.lease?.deadlineWallMs ?? null,
      upstreams: [...upstreams.keys()],
      recent: meter.recentStable.view(),
    };
  }

  #activate(split: Split, activatedAtMs: number, lease: LeaseTerm | null): ActiveSplit {
    const { upstreams, table, route, meter, clock } = this.#options;
    const stable = upstreams.get(split.upstreams.stable);
    if (stable === undefined) throw new Error(`upstream ${split.upstreams.stable} vanished`);
    const candidate = split.upstreams.candidate === null ? null : (upstreams.get(split.upstreams.candidate) ?? null);
    const measured = lease !== null && clock.monotonicMs() < lease.deadlineMonotonicMs;
    const active: ActiveSplit = {
      split,
      stable,
      candidate,
      activatedAtMs,
      lease,
      meter: measured ? meter.begin(split, activatedAtMs) : meter.rest(split),
    };
    this.#expirySeen = false;
    table.replace(route, active);
    return active;
  }

  async #save(): Promise<void> {
    const { split, activatedAtMs, lease } = this.#active;
    await this.#options.store.save({
      split,
      activatedAtMs,
      leaseDeadlineWallMs: lease?.deadlineWallMs ?? null,
      expired: !this.inForce,
      adopted: this.#adopted,
    });
    if (this.#active.split === split) this.#unsaved = false;
  }

  #log(level: 'info' | 'warn' | 'error', event: string, message: string): void {
    this.#options.log({ level, event, message, route: this.#options.route });
  }
}

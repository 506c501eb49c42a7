/**
 * Renews leases, each member's by itself, and only with three proofs since its last renewal: Temporal said that the run is
 * open, the ledger took a commit, and this member's evidence was read. A worker that has lost one of them lets go.
 */
import type { Member, TrafficBackend } from '../../src/backends/traffic-backend.js';
import type { RouteName } from '../../src/plan/ids.js';
import type { Split } from '../../src/plan/split.js';
import type { Clock } from '../dependencies.js';
import { reasonOf } from '../failure.js';

export interface LeaseKeeperOptions {
  readonly backend: TrafficBackend;
  readonly clock: Clock;
  readonly route: RouteName;
  readonly split: Split;
  readonly warn: (message: string) => void;
}

/** Monotonic ms at which each proof was given last; null = not in this attempt. */
export interface Proofs {
  readonly runOpenAt: number | null;
  readonly committedAt: number | null;
}

export class LeaseKeeper {
  readonly #options: LeaseKeeperOptions;
  readonly #renewedAt = new Map<string, number>();
  readonly #readAt = new Map<string, number>();

  constructor(options: LeaseKeeperOptions) {
    this.#options = options;
  }

  /** This member's evidence was read. */
  read(address: string): void {
    this.#readAt.set(address, this.#options.clock.monotonicMs());
  }

  /** The member took the split just now, which began its lease. */
  written(address: string): void {
    this.#renewedAt.set(address, this.#options.clock.monotonicMs());
  }

  /** Due at once in a new attempt, then every third of the lease. */
  isDue(address: string): boolean {
    const { split, clock } = this.#options;
    const renewedAt = this.#renewedAt.get(address);
    if (split.lease === null) return false;
    return renewedAt === undefined || clock.monotonicMs() - renewedAt >= (split.lease.seconds * 1_000) / 3;
  }

  /**
   * Renews what is due and proven, in parallel.
   * @returns addresses whose lease was renewed
   */
  async renew(members: readonly Member[], proofs: Proofs, signal: AbortSignal): Promise<readonly string[]> {
    const renewed = await Promise.all(
      members.map(async (member) => {
        if (!this.isDue(member.address) || !this.#isProven(member.address, proofs)) return [];
        return (await this.#renewOne(member, signal)) ? [member.address] : [];
      }),
    );
    return renewed.flat();
  }

  #isProven(address: string, { runOpenAt, committedAt }: Proofs): boolean {
    const since = this.#renewedAt.get(address) ?? Number.NEGATIVE_INFINITY;
    return [runOpenAt, committedAt, this.#readAt.get(address)].every(
      (at) => at !== null && at !== undefined && at > since,
    );
  }

  async #renewOne(member: Member, signal: AbortSignal): Promise<boolean> {
    const { backend, clock, route, split, warn } = this.#options;
    if (split.rollout === null) return false;
    const at = clock.monotonicMs();
    try {
      const renewed = await backend.renewLease(member, route, split.rollout, split.generation, signal);
      if (renewed) this.#renewedAt.set(member.address, at);
      else
        warn(`${member.address} did not renew the lease of generation ${split.generation}: it is not in force there`);
      return renewed;
    } catch (error) {
      signal.throwIfAborted();
      warn(`the lease of ${member.address} was not renewed: ${reasonOf(error)}`);
      return false;
    }
  }
}

/** Who is in the fleet while a rollout is watched: the members as configured now, and everyone seen in this rollout. */
import { joinMembers } from '../../src/backends/fleet.js';
import type { Member } from '../../src/backends/traffic-backend.js';
import type { World } from '../dependencies.js';
import { reasonOf } from '../failure.js';

/** Names are resolved this often, ms. */
const REFRESH_MS = 10_000;

export class FleetRoster {
  readonly #world: Pick<World, 'backend' | 'clock' | 'log'>;
  #members: readonly Member[];
  #listed: ReadonlySet<string> | null = null;
  #refreshAt = 0;
  #told = '';

  constructor(world: Pick<World, 'backend' | 'clock' | 'log'>, remembered: readonly Member[]) {
    this.#world = world;
    this.#members = remembered;
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  /** Addresses of the fleet as configured; null while that is not known. */
  get listed(): ReadonlySet<string> | null {
    return this.#listed;
  }

  /** Looks the fleet up again when it is time. A fleet that cannot be looked up stays as it was. */
  async refresh(signal: AbortSignal): Promise<void> {
    const { backend, clock, log } = this.#world;
    if (clock.monotonicMs() < this.#refreshAt) return;
    this.#refreshAt = clock.monotonicMs() + REFRESH_MS;
    try {
      const listed = await backend.members([], signal);
      this.#listed = new Set(listed.map(({ address }) => address));
      this.#members = joinMembers(listed, this.#members);
      this.#told = '';
    } catch (error) {
      signal.throwIfAborted();
      this.#listed = null;
      const reason = reasonOf(error);
      if (reason !== this.#told) log.warn(`the fleet cannot be looked up: ${reason}; members seen before are asked`);
      this.#told = reason;
    }
  }
}

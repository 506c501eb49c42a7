/** After the flip nobody uses the stable upstream: is it still there to go back to? */
import { request } from 'undici';
import { withDeadline } from '../../src/backends/deadline.js';
import type { SluiceConfig } from '../../src/plan/config.js';
import type { UpstreamName } from '../../src/plan/ids.js';
import type { Clock } from '../dependencies.js';

/** Raised as a flag when the stable upstream is lost after the flip. */
const NO_WAY_BACK = 'no-way-back';

const PROBE_EVERY_MS = 60_000;
const PROBE_TIMEOUT_MS = 5_000;
/** One lost probe is no loss. */
const LOST_AFTER = 2;

export interface WayBackOptions {
  readonly config: () => Pick<SluiceConfig, 'upstreams'>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly stable: UpstreamName;
}

export class WayBack {
  readonly #options: WayBackOptions;
  #probeAt = 0;
  #lost = 0;
  #probing = false;

  constructor(options: WayBackOptions) {
    this.#options = options;
  }

  /** The flag while the way back is lost, with the upstream's name. */
  get flag(): string | null {
    return this.#lost < LOST_AFTER ? null : `${NO_WAY_BACK}: upstream ${this.#options.stable} does not answer`;
  }

  /** Starts a probe when one is due; the poll does not wait for it. */
  probe(signal: AbortSignal): void {
    const { clock } = this.#options;
    if (this.#probing || clock.monotonicMs() < this.#probeAt) return;
    this.#probeAt = clock.monotonicMs() + PROBE_EVERY_MS;
    this.#probing = true;
    void this.#answers(signal)
      .then((answers) => {
        this.#lost = answers ? 0 : this.#lost + 1;
        // A first loss is looked at again soon.
        if (this.#lost === 1) this.#probeAt = clock.monotonicMs() + PROBE_TIMEOUT_MS;
      })
      .finally(() => {
        this.#probing = false;
      });
  }

  /** Any answer below 500 is an upstream that is up, whatever it thinks of the question. */
  async #answers(signal: AbortSignal): Promise<boolean> {
    const { config, env, stable } = this.#options;
    const upstream = config().upstreams.get(stable);
    if (upstream === undefined) return false;
    const key = upstream.apiKeyEnv === null ? undefined : env[upstream.apiKeyEnv];
    const timeout = (): Error => new DOMException('timed out', 'TimeoutError');
    try {
      return await withDeadline(signal, PROBE_TIMEOUT_MS, timeout, async (limited) => {
        const response = await request(`${upstream.url}/models`, {
          headers: { ...upstream.headers, ...(key === undefined ? {} : { authorization: `Bearer ${key}` }) },
          signal: limited,
        });
        await response.body.dump();
        return response.statusCode < 500;
      });
    } catch {
      return signal.aborted;
    }
  }
}

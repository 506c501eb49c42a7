import type { RouteConfig } from '../../plan/config.js';
import { SluiceError } from '../../plan/failures.js';
import type { UpstreamName } from '../../plan/ids.js';
import type { Split } from '../../plan/split.js';
import { isResting } from '../../plan/split.js';
import type { Clock } from '../clock.js';
import type { Upstream } from '../proxy/upstream.js';
import type { LeaseTerm } from './active-split.js';
import type { StoredSplit } from './split-store.js';

/** What a route starts with. */
export interface RestoredSplit {
  readonly split: Split;
  readonly activatedAtMs: number;
  readonly lease: LeaseTerm | null;
  readonly adopted: boolean;
  /** It differs from what is on disk. */
  readonly changed: boolean;
  /** For the log; null = nothing out of the ordinary. */
  readonly note: string | null;
}

/** A request may take as long as OpenAI's own clients wait by default. */
const RESTING_REQUEST_TIMEOUT_MS = 600_000;
const RESTING_INTERVAL_MS = 10_000;

/** What `sluice.yaml` alone says of a route: nothing was ever written to it. */
function initialSplit(stable: UpstreamName): Split {
  return {
    generation: 0,
    rollout: null,
    stage: null,
    weights: { stable: 1, candidate: 0 },
    upstreams: { stable, candidate: null },
    mirror: { variant: 'candidate', share: 0 },
    salt: '',
    lease: null,
    metering: {
      intervalMs: RESTING_INTERVAL_MS,
      warmupMs: 0,
      requestTimeoutMs: RESTING_REQUEST_TIMEOUT_MS,
      feedbackHorizonMs: 0,
      histograms: {},
      strata: [],
    },
  };
}

/**
 * The split of a route at the start of a process. A resting split that was written overrides `sluice.yaml` until the
 * file has named the same upstream; a rollout's split comes back for what is left of its lease.
 * Throws `config-invalid` when the stable upstream of what was written is no longer configured.
 */
export function restoreSplit(
  route: RouteConfig,
  stored: StoredSplit | null,
  upstreams: ReadonlyMap<string, Upstream>,
  clock: Clock,
): RestoredSplit {
  if (stored === null) {
    return {
      split: initialSplit(route.stable),
      activatedAtMs: clock.wallMs(),
      lease: null,
      adopted: true,
      changed: false,
      note: null,
    };
  }
  const { split, activatedAtMs } = stored;
  if (isResting(split) && split.upstreams.stable !== route.stable && stored.adopted) {
    return {
      split: { ...split, upstreams: { stable: route.stable, candidate: null } },
      activatedAtMs,
      lease: null,
      adopted: true,
      changed: true,
      note: `sluice.yaml names ${route.stable} now; the split of generation ${split.generation} rested on ${split.upstreams.stable}`,
    };
  }
  if (!upstreams.has(split.upstreams.stable)) {
    throw new SluiceError(
      'config-invalid',
      `routes.${route.name}: its split of generation ${split.generation} serves upstream "${split.upstreams.stable}", ` +
        `which is not among upstreams (${[...upstreams.keys()].join(', ')}); add it again`,
    );
  }
  if (isResting(split)) {
    const agrees = split.upstreams.stable === route.stable;
    const note = `rests on ${split.upstreams.stable} since generation ${split.generation}, not on ${route.stable} of sluice.yaml; change routes.${route.name}.stable`;
    return {
      split,
      activatedAtMs,
      lease: null,
      adopted: agrees,
      changed: agrees !== stored.adopted,
      note: agrees ? null : note,
    };
  }
  return { split, activatedAtMs, adopted: false, changed: false, ...restoreLease(split, stored, upstreams, clock) };
}

function restoreLease(
  split: Split,
  stored: StoredSplit,
  upstreams: ReadonlyMap<string, Upstream>,
  clock: Clock,
): { readonly lease: LeaseTerm; readonly note: string | null } {
  const now = clock.wallMs();
  const deadlineWallMs = stored.leaseDeadlineWallMs ?? now;
  const candidate = split.upstreams.candidate;
  const missing = candidate !== null && !upstreams.has(candidate);
  const over = stored.expired || missing || deadlineWallMs <= now;
  // A wall clock that stepped back while the process was down must not lengthen the lease.
  const leftMs = over ? 0 : Math.min(deadlineWallMs - now, (split.lease?.seconds ?? 0) * 1000);
  const reason = missing ? `upstream "${candidate}" is no longer configured` : 'its lease has run out';
  return {
    lease: {
      deadlineMonotonicMs: clock.monotonicMs() + leftMs,
      deadlineWallMs: Math.min(deadlineWallMs, now + leftMs),
    },
    note: over ? `split of generation ${split.generation} is not in force: ${reason}` : null,
  };
}

import type { Variant } from '../plan/types.js';
import type { RequestBody } from './body/request-body.js';
import { chooseVariant, mirrorPoint, splitPoint } from './choice.js';
import type { Hash } from './choice.js';
import type { IssuedIds } from './issued-ids.js';
import type { Upstream } from './proxy/upstream.js';
import { inForce } from './split/active-split.js';
import type { ActiveSplit } from './split/active-split.js';

/** Which upstream serves a request, and what else becomes of it. */
export interface Assignment {
  readonly variant: Variant;
  readonly upstream: Upstream;
  /** It counts as evidence. */
  readonly compared: boolean;
  /** Its unit is sampled for mirroring: the variant that gets a copy. */
  readonly mirrorTo: { readonly variant: Variant; readonly upstream: Upstream } | null;
}

export interface AssignmentInput {
  readonly active: ActiveSplit;
  /** Name of the route. */
  readonly route: string;
  readonly body: RequestBody;
  /** The unit, or what stands for the request alone. */
  readonly unit: string;
  readonly nowMonotonicMs: number;
  readonly hash: Hash;
  readonly issuedIds: IssuedIds;
  readonly upstreams: ReadonlyMap<string, Upstream>;
}

/** Pure but for the ids remembered: the same unit under the same split is always served by the same variant. */
export function assign(input: AssignmentInput): Assignment {
  const { active, unit, hash, body } = input;
  const { split } = active;
  const isInForce = inForce(active, input.nowMonotonicMs);
  const keepsWeights = isInForce || split.lease?.onExpiry === 'keep';
  const weight = active.candidate === null || !keepsWeights ? 0 : split.weights.candidate;
  const variant = weight === 0 ? 'stable' : chooseVariant(splitPoint(hash, split.salt, unit), weight);
  const served = serving(active, variant);
  if (body.serverSideIds.length > 0) return { ...issuerOf(input, served), compared: false, mirrorTo: null };
  // What an upstream keeps must be found again, whatever the split is by then.
  if (body.kind === 'stored') return { ...serving(active, 'stable'), compared: false, mirrorTo: null };
  const compared = isInForce && active.meter !== null && !body.background;
  return { ...served, compared, mirrorTo: compared && body.format !== 'opaque' ? mirrorTarget(input, variant) : null };
}

interface Serving {
  readonly variant: Variant;
  readonly upstream: Upstream;
}

function serving(active: ActiveSplit, variant: Variant): Serving {
  return variant === 'candidate' && active.candidate !== null
    ? { variant, upstream: active.candidate }
    : { variant: 'stable', upstream: active.stable };
}

function mirrorTarget(input: AssignmentInput, servedBy: Variant): Serving | null {
  const { active, hash, unit } = input;
  const { mirror, salt } = active.split;
  if (mirror.share === 0 || mirror.variant === servedBy || active.candidate === null) return null;
  return mirrorPoint(hash, salt, unit) < mirror.share ? serving(active, mirror.variant) : null;
}

/**
 * Who can resolve the ids that a body quotes: the upstream that issued one of them. When that was another router, or too
 * long ago to be remembered, a dialogue most likely went on where its unit is served, and a stored object was most
 * likely made at stable.
 */
function issuerOf(input: AssignmentInput, served: Serving): Serving {
  const { active, body, issuedIds, upstreams } = input;
  for (const { id } of body.serverSideIds) {
    const issuer = issuedIds.issuer(id);
    // An id of another route leads nowhere: it would let a client of this one choose an upstream.
    const upstream = issuer === null || issuer.route !== input.route ? undefined : upstreams.get(issuer.upstream);
    if (upstream !== undefined) {
      return { variant: upstream === active.candidate ? 'candidate' : 'stable', upstream };
    }
  }
  return body.serverSideIds.every(({ kind }) => kind === 'stored') ? serving(active, 'stable') : served;
}

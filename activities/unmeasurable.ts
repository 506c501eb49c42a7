/** Guardrails that nothing can be said of on a route, by what its stable model has answered before the rollout. */
import type { RouteView } from '../src/backends/traffic-backend.js';
import type { GuardrailName, Plan } from '../src/plan/types.js';

/** So many answers without a single one that counts are proof enough: a rollout's first hours would bring none either. */
const LEAST_ANSWERS = 200;

export interface Unmeasurable {
  readonly names: readonly GuardrailName[];
  /** What follows "left out: " in a sentence. */
  readonly why: string;
}

/**
 * What the plan compares and the route does not have. Ratings are rare, so that feedback is never among them; a router
 * that does not tell what it has answered proves nothing.
 */
export function unmeasurable(
  { guardrails }: Pick<Plan, 'guardrails'>,
  views: readonly Pick<RouteView, 'recent'>[],
): readonly Unmeasurable[] {
  const sums = { complete: 0, streams: 0, withCachedTokens: 0 };
  for (const { recent } of views) {
    if (recent.answered === null) return [];
    sums.complete += recent.answered.complete;
    sums.streams += recent.answered.streams;
    sums.withCachedTokens += recent.answered.withCachedTokens;
  }
  if (sums.complete < LEAST_ANSWERS) return [];
  const found = (isOne: (name: GuardrailName) => boolean, why: string): readonly Unmeasurable[] => {
    const names = guardrails.map(({ name }) => name).filter(isOne);
    return names.length === 0 ? [] : [{ names, why: `none of stable's last ${sums.complete} answers ${why}` }];
  };
  return [
    ...(sums.streams === 0 ? found((name) => name === 'ttft_p50' || name === 'ttft_p95', 'was a stream') : []),
    ...(sums.withCachedTokens === 0
      ? found((name) => name === 'cache_hit_rate', 'said how much of its prompt was cached')
      : []),
  ];
}

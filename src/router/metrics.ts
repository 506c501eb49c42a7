import type { Variant } from '../plan/types.js';
import type { Outcome } from './proxy/outcome.js';

/** Requests by route, variant and how they ended, served and mirrored apart. */
export class RequestCounters {
  readonly #counts = new Map<string, number>();

  add(route: string, variant: Variant, kind: 'served' | 'mirrored', outcome: Outcome): void {
    const labels = `route="${route}",variant="${variant}",kind="${kind}",class="${outcome.errorClass ?? outcome.end}"`;
    this.#counts.set(labels, (this.#counts.get(labels) ?? 0) + 1);
  }

  entries(): readonly (readonly [labels: string, count: number])[] {
    return [...this.#counts];
  }
}

import type { UpstreamName } from '../plan/ids.js';

/** At some 100 bytes each, what a process spends on remembering who issued what. */
const KEPT = 100_000;

/** Which upstream issued an id that a later request may quote. The oldest are forgotten. */
export class IssuedIds {
  readonly #issuers = new Map<string, UpstreamName>();

  note(ids: readonly string[], upstream: UpstreamName): void {
    for (const id of ids) {
      // Again at the end of the map's order, which is the order of forgetting.
      this.#issuers.delete(id);
      this.#issuers.set(id, upstream);
    }
    while (this.#issuers.size > KEPT) {
      const oldest = this.#issuers.keys().next();
      if (oldest.done === true) return;
      this.#issuers.delete(oldest.value);
    }
  }

  issuer(id: string): UpstreamName | null {
    return this.#issuers.get(id) ?? null;
  }
}

import type { UpstreamName } from '../plan/ids.js';

/** Who issued an id, and for which route: whoever may not call that may not ask for the object either. */
export interface Issuer {
  readonly upstream: UpstreamName;
  readonly route: string;
}

/** At some 100 bytes each, what a process spends on remembering who issued what. */
const KEPT = 100_000;

/** Which upstream issued an id that a later request may quote. The oldest are forgotten. */
export class IssuedIds {
  readonly #issuers = new Map<string, Issuer>();

  note(ids: readonly string[], issuer: Issuer): void {
    for (const id of ids) {
      // Again at the end of the map's order, which is the order of forgetting.
      this.#issuers.delete(id);
      this.#issuers.set(id, issuer);
    }
    while (this.#issuers.size > KEPT) {
      const oldest = this.#issuers.keys().next();
      if (oldest.done === true) return;
      this.#issuers.delete(oldest.value);
    }
  }

  issuer(id: string): Issuer | null {
    return this.#issuers.get(id) ?? null;
  }
}

import { createHash, timingSafeEqual } from 'node:crypto';

/**
 * Compares what a caller presents with a secret in a time that tells nothing: both are hashed first, so that not even
 * their lengths differ.
 */
export class Secret {
  readonly #digest: Buffer;

  constructor(secret: string) {
    this.#digest = digest(secret);
  }

  matches(presented: string | Presented): boolean {
    return timingSafeEqual(this.#digest, typeof presented === 'string' ? digest(presented) : presented.digest);
  }
}

/** What a caller presents, hashed once for any number of comparisons. */
export class Presented {
  readonly digest: Buffer;

  constructor(text: string) {
    this.digest = digest(text);
  }
}

/** The token of an `Authorization: Bearer` header; null when there is none. */
export function bearerToken(authorization: string | undefined): string | null {
  const match = /^bearer +(\S+) *$/i.exec(authorization ?? '');
  return match?.[1] ?? null;
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

import { createHmac, randomFillSync, timingSafeEqual } from 'node:crypto';
import { rolloutId } from '../plan/ids.js';
import type { RolloutId } from '../plan/ids.js';
import type { Variant } from '../plan/types.js';

/** What a request id says, so that any router of the fleet can file a rating under the request that earned it. */
export interface RequestMark {
  /** null = no rollout compared this request. */
  readonly rollout: RolloutId | null;
  readonly generation: number;
  readonly variant: Variant;
  readonly stratum: string;
  /** 0…63; null when the request had no unit. */
  readonly userBucket: number | null;
  /** Unix ms. */
  readonly startedAt: number;
  /** 96 bits, hex. */
  readonly nonce: string;
}

const VERSION = 'sl1';
const NONCE_BYTES = 12;
const MAC_BYTES = 16;
const SEPARATOR = '|';

/** HMAC-SHA-256, cut to 128 bits, over every field of the mark: what no key of ours signed counts for nothing. */
export class RequestIds {
  readonly #keys: readonly [Buffer, ...Buffer[]];

  /** The first key signs, all verify: rotate by putting the new one first. */
  constructor(keys: readonly [Buffer, ...Buffer[]]) {
    this.#keys = keys;
  }

  sign(mark: RequestMark): string {
    const payload = Buffer.from(
      [
        mark.rollout ?? '',
        mark.generation,
        mark.variant,
        mark.stratum,
        mark.userBucket ?? '',
        // Never up, which could be into the next interval than the one that counted the request.
        Math.floor(mark.startedAt),
        mark.nonce,
      ].join(SEPARATOR),
    ).toString('base64url');
    return `${VERSION}.${payload}.${mac(this.#keys[0], payload).toString('base64url')}`;
  }

  /** null for everything that was not signed with one of the keys. */
  verify(requestId: string): RequestMark | null {
    const [version, payload, signature, ...rest] = requestId.split('.');
    if (version !== VERSION || payload === undefined || signature === undefined || rest.length > 0) return null;
    const given = Buffer.from(signature, 'base64url');
    if (given.length !== MAC_BYTES || given.toString('base64url') !== signature) return null;
    if (!this.#keys.some((key) => timingSafeEqual(mac(key, payload), given))) return null;
    return parseMark(Buffer.from(payload, 'base64url').toString());
  }
}

/** A new 96-bit nonce, hex. */
export class NonceSource {
  readonly #pool = Buffer.alloc(NONCE_BYTES * 256);
  #used = this.#pool.length;

  next(): string {
    if (this.#used === this.#pool.length) {
      randomFillSync(this.#pool);
      this.#used = 0;
    }
    const nonce = this.#pool.toString('hex', this.#used, this.#used + NONCE_BYTES);
    this.#used += NONCE_BYTES;
    return nonce;
  }
}

function mac(key: Buffer, payload: string): Buffer {
  return createHmac('sha256', key).update(payload).digest().subarray(0, MAC_BYTES);
}

function parseMark(text: string): RequestMark | null {
  const [rollout, generation, variant, stratum, bucket, startedAt, nonce] = text.split(SEPARATOR);
  if (rollout === undefined || stratum === undefined || nonce === undefined) return null;
  if (variant !== 'stable' && variant !== 'candidate') return null;
  return {
    rollout: rollout === '' ? null : rolloutId(rollout),
    generation: Number(generation),
    variant,
    stratum,
    userBucket: bucket === undefined || bucket === '' ? null : Number(bucket),
    startedAt: Number(startedAt),
    nonce,
  };
}

/** What a client may cost before it is refused. */
export interface HttpLimits {
  /** Request line and headers together. */
  readonly headerBytes: number;
  /** A body that is held whole: for the model's name, for the mirror, for a usage request. */
  readonly bodyBytes: number;
  /** From the first byte of a connection or request to the end of its headers. */
  readonly headersTimeoutMs: number;
  /** From the first byte of a request to the last of its body. */
  readonly bodyTimeoutMs: number;
}

export const DEFAULT_HTTP_LIMITS: HttpLimits = {
  headerBytes: 16 * 1024,
  // Images and audio come in bodies too.
  bodyBytes: 64 * 1024 * 1024,
  headersTimeoutMs: 15_000,
  bodyTimeoutMs: 300_000,
};

import type { Usage } from './usage.js';

/** What an answer says of itself, read without holding up the client. */
export interface AnswerFacts {
  /** It ended as its protocol demands: a parsable body, or a stream with its terminator and without an error event. */
  readonly complete: boolean;
  readonly usage: Usage | null;
  /** null = nothing that could be classified. */
  readonly refused: boolean | null;
  /** Ids under which the upstream keeps something that a later request may quote. */
  readonly issuedIds: readonly string[];
}

/** Reads an answer while it passes. All times are monotonic ms. */
export interface AnswerReading {
  /** When the first token came; null before it, and for an answer that is no stream. */
  readonly firstTokenAtMs: number | null;
  /** What the client may have of the chunk, byte for byte but for what the router itself had asked for. */
  push(chunk: Buffer, atMs: number): Buffer;
  /** Bytes held back until now. */
  flush(): Buffer;
  /** After the last byte. */
  facts(): AnswerFacts;
}

export const EMPTY: Buffer = Buffer.alloc(0);

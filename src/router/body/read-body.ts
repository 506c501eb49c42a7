import type { IncomingMessage } from 'node:http';
import { inviteBody } from './invite-body.js';

export type BodyRead =
  | { readonly kind: 'read'; readonly bytes: Buffer }
  /** The rest is not read: whoever answers says whether it is thrown away or the connection ends. */
  | { readonly kind: 'too-large' }
  /** The client went away before its body was whole. */
  | { readonly kind: 'cut-off' };

/** Reads a request's body into memory, up to `limitBytes`; of what promises to be longer not a byte. */
export function readBody(request: IncomingMessage, limitBytes: number): Promise<BodyRead> {
  if (Number(request.headers['content-length'] ?? 0) > limitBytes) return Promise.resolve({ kind: 'too-large' });
  inviteBody(request);
  return new Promise((settle) => {
    const chunks: Buffer[] = [];
    let length = 0;
    let settled = false;
    // A promise that is settled again, as by the `close` after each `end`, makes Node report it: a microsecond and more.
    const resolve = (read: BodyRead): void => {
      if (settled) return;
      settled = true;
      settle(read);
    };
    const take = (chunk: Buffer): void => {
      length += chunk.length;
      chunks.push(chunk);
      if (length <= limitBytes) return;
      request.off('data', take);
      request.pause();
      chunks.length = 0;
      resolve({ kind: 'too-large' });
    };
    request.on('data', take);
    request.once('end', () => {
      const only = chunks.length === 1 ? chunks[0] : undefined;
      resolve({ kind: 'read', bytes: only ?? Buffer.concat(chunks) });
    });
    request.once('error', () => resolve({ kind: 'cut-off' }));
    request.once('close', () => resolve({ kind: 'cut-off' }));
  });
}

import type { IncomingMessage } from 'node:http';

export type BodyRead =
  | { readonly kind: 'read'; readonly bytes: Buffer }
  | { readonly kind: 'too-large' }
  /** The client went away before its body was whole. */
  | { readonly kind: 'cut-off' };

/** Reads a request's body into memory, up to `limitBytes`; what exceeds it is read and thrown away. */
export function readBody(request: IncomingMessage, limitBytes: number): Promise<BodyRead> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= limitBytes) chunks.push(chunk);
      else chunks.length = 0;
    });
    request.once('end', () => {
      const only = chunks.length === 1 ? chunks[0] : undefined;
      resolve(length > limitBytes ? { kind: 'too-large' } : { kind: 'read', bytes: only ?? Buffer.concat(chunks) });
    });
    request.once('error', () => resolve({ kind: 'cut-off' }));
    request.once('close', () => resolve({ kind: 'cut-off' }));
  });
}

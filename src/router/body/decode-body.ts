import { promisify } from 'node:util';
import { brotliDecompress, gunzip, inflate } from 'node:zlib';
import { errorCode } from '../log.js';

export type DecodedBody =
  | { readonly kind: 'decoded'; readonly bytes: Buffer }
  /** It grows beyond the limit: a small body can be a large one in disguise. */
  | { readonly kind: 'too-large' }
  | { readonly kind: 'broken' }
  | { readonly kind: 'unknown' };

const DECODERS = {
  gzip: promisify(gunzip),
  'x-gzip': promisify(gunzip),
  deflate: promisify(inflate),
  br: promisify(brotliDecompress),
};

/** A compressed body in plain, off the event loop; `encoding` is the Content-Encoding of the request. */
export async function decodeBody(bytes: Buffer, encoding: string, limitBytes: number): Promise<DecodedBody> {
  const name = encoding.trim().toLowerCase();
  if (name !== 'gzip' && name !== 'x-gzip' && name !== 'deflate' && name !== 'br') return { kind: 'unknown' };
  try {
    return { kind: 'decoded', bytes: await DECODERS[name](bytes, { maxOutputLength: limitBytes }) };
  } catch (error) {
    return { kind: errorCode(error) === 'ERR_BUFFER_TOO_LARGE' ? 'too-large' : 'broken' };
  }
}

/** Lines of a file as bytes, in constant memory. */
import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { SluiceError } from '../../plan/failures.js';
import { lineError } from './request-line.js';

const CHUNK_BYTES = 1024 * 1024;
const LONGEST_LINE_BYTES = 16 * 1024 * 1024;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/** Sees each line without its end; the bytes are its own only until it returns. Lines count from 1. */
export type LineVisitor = (bytes: Buffer, start: number, end: number, lineNumber: number) => void;

/**
 * Visits the lines of a file, or of standard input for `-`; empty ones are passed over.
 * @returns how many lines were visited
 * @throws SluiceError `evidence-invalid` when the file cannot be read, or a line is longer than 16 MiB
 */
export async function forEachLine(path: string, visit: LineVisitor): Promise<number> {
  const stream = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: CHUNK_BYTES });
  try {
    return await visitLines(stream, visit);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new SluiceError(
      'evidence-invalid',
      `${path} cannot be read (${error.message}); name a file of one JSON object a line`,
      {
        cause: error,
      },
    );
  } finally {
    stream.destroy();
  }
}

async function visitLines(stream: Readable, visit: LineVisitor): Promise<number> {
  let rest: Buffer = Buffer.alloc(0);
  let lineNumber = 0;
  let visited = 0;
  const line = (bytes: Buffer, start: number, lineEnd: number): void => {
    lineNumber++;
    const from = lineNumber === 1 && bytes.subarray(start, start + 3).equals(BYTE_ORDER_MARK) ? start + 3 : start;
    const end = lineEnd > from && bytes[lineEnd - 1] === CARRIAGE_RETURN ? lineEnd - 1 : lineEnd;
    if (end === from) return;
    visited++;
    visit(bytes, from, end, lineNumber);
  };
  for await (const piece of stream) {
    const chunk: unknown = piece;
    if (!Buffer.isBuffer(chunk)) throw new TypeError('the input is text where bytes were expected');
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      line(bytes, start, end);
      start = end + 1;
    }
    rest = bytes.subarray(start);
    if (rest.length > LONGEST_LINE_BYTES) {
      throw lineError(lineNumber + 1, `longer than 16 MiB; write one JSON object a line`);
    }
  }
  if (rest.length > 0) line(rest, 0, rest.length);
  return visited;
}

function isSystemError(error: unknown): error is Error & { readonly code: string } {
  return error instanceof Error && 'syscall' in error && 'code' in error;
}

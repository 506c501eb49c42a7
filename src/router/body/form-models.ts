import type { Edit } from './edits.js';

/** Where the value of a part stands; an edit with another text. */
export type ValueSpan = Pick<Edit, 'start' | 'end'>;

const BLANK_LINE = Buffer.from('\r\n\r\n');
/** Parts before it are looked at: the clients at hand write `model` after a file at times, and no call has more. */
const PART_LIMIT = 64;
/** A route's name is never longer; a file called "model" is none. */
const VALUE_LIMIT = 512;

/** The boundary of a multipart/form-data body; null for any other content type. */
export function formBoundary(contentType: string | undefined): string | null {
  if (contentType === undefined || !/^multipart\/form-data\s*;/i.test(contentType)) return null;
  const match = /;\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))(?=\s*(?:;|$))/i.exec(contentType);
  return match?.[1] ?? match?.[2] ?? null;
}

/**
 * The values of all fields called `model`, by their place: so a form is routed and rewritten as JSON is, and everything
 * else in it, files above all, passes byte for byte. Empty for what is no such form.
 */
export function formModels(bytes: Buffer, boundary: string): readonly ValueSpan[] {
  const found: ValueSpan[] = [];
  const delimiter = Buffer.from(`--${boundary}`);
  const next = Buffer.from(`\r\n--${boundary}`);
  let at = bytes.subarray(0, delimiter.length).equals(delimiter) ? delimiter.length : -1;
  for (let part = 0; at >= 0 && part < PART_LIMIT; part += 1) {
    const headEnd = bytes.indexOf(BLANK_LINE, at);
    if (headEnd < 0) break;
    const start = headEnd + BLANK_LINE.length;
    // A part without content has its blank line in the delimiter that follows.
    const end = bytes.indexOf(next, start - 2);
    if (end < 0) break;
    if (
      isModelField(bytes.toString('latin1', at, Math.min(headEnd, at + 1_024))) &&
      end >= start &&
      end - start <= VALUE_LIMIT
    ) {
      found.push({ start, end });
    }
    at = end + next.length;
  }
  return found;
}

function isModelField(head: string): boolean {
  const disposition = /^content-disposition:(.*)$/im.exec(head)?.[1];
  if (disposition === undefined || /;\s*filename\*?=/i.test(disposition)) return false;
  return /;\s*name=(?:"model"|model(?=\s|;|$))/i.test(disposition);
}

import type { IncomingHttpHeaders } from 'node:http';
import type { ApiKind } from '../body/api-path.js';
import { EMPTY } from './answer.js';
import type { AnswerReading } from './answer.js';
import { BodyReading } from './body-reading.js';
import { StreamReading } from './stream-reading.js';

/** How an answer is read, by its status line and headers. `filterUsage`: see `StreamReading`. */
export function readAnswer(
  kind: ApiKind,
  status: number,
  headers: IncomingHttpHeaders,
  filterUsage: boolean,
): AnswerReading {
  const encoding = headers['content-encoding'];
  // Asked for identity and given something else: it passes as it is, and nothing is read from it.
  if (encoding !== undefined && encoding !== 'identity') return UNREADABLE;
  const stream = isEventStream(headers) && status < 400;
  return stream ? new StreamReading(kind, filterUsage) : new BodyReading(kind, status);
}

/** A server may send the header twice, whatever the types say. */
export function isEventStream(headers: Readonly<Record<string, string | string[] | undefined>>): boolean {
  const type = headers['content-type'];
  return (Array.isArray(type) ? type[0] : type)?.startsWith('text/event-stream') === true;
}

const UNREADABLE: AnswerReading = {
  firstTokenAtMs: null,
  push: (chunk) => chunk,
  flush: () => EMPTY,
  facts: () => ({ complete: true, usage: null, refused: null, issuedIds: [] }),
};

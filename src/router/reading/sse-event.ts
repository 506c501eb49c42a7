/** Server-sent events in bytes: where one ends, and what it says. */
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const TWO_RETURNS = Buffer.from('\r\r');
const SPACE = 0x20;
const FIRST_OF_DATA = 0x64;
const DATA_LENGTH = 'data:'.length;

/** The byte after the blank line that ends the event at `from`; −1 while it is not complete. */
export function eventEnd(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(LINE_FEED, from); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) {
    if (bytes[at + 1] === LINE_FEED) return at + 2;
    if (bytes[at + 1] === CARRIAGE_RETURN && bytes[at + 2] === LINE_FEED) return at + 3;
  }
  // The third line end that the format knows, which no server at hand uses: looked for only where there is no other.
  if (bytes.indexOf(LINE_FEED, from) >= 0) return -1;
  const blank = bytes.indexOf(TWO_RETURNS, from);
  return blank < 0 ? -1 : blank + TWO_RETURNS.length;
}

/** The joined `data` lines of an event; empty for a comment. */
export function eventData(event: Buffer): string {
  const lineEnd = onlyLineEnd(event);
  if (lineEnd >= 0 && startsWithData(event)) {
    const start = event[DATA_LENGTH] === SPACE ? DATA_LENGTH + 1 : DATA_LENGTH;
    return event.toString('utf8', start, Math.max(start, lineEnd));
  }
  let data: string | null = null;
  for (const line of event.toString('utf8').split(/\r\n|\n|\r/)) {
    if (!line.startsWith('data:')) continue;
    const text = line.startsWith('data: ') ? line.slice(6) : line.slice(5);
    data = data === null ? text : `${data}\n${text}`;
  }
  return data ?? '';
}

/** The `event:` field; empty when there is none. */
export function eventName(event: Buffer): string {
  if (onlyLineEnd(event) >= 0 && event[0] === FIRST_OF_DATA) return '';
  const match = /^event: ?([^\r\n]*)/m.exec(event.toString('latin1', 0, 200));
  return match?.[1] ?? '';
}

/** Where the line ends that is all of an event, as nearly every event is; −1 when there may be more than one. */
function onlyLineEnd(event: Buffer): number {
  const lineFeed = event.indexOf(LINE_FEED);
  const carriageReturn = event.indexOf(CARRIAGE_RETURN);
  if (carriageReturn >= 0 && carriageReturn !== lineFeed - 1) return -1;
  if (lineFeed < 0) return event.length;
  // What may follow is the blank line: too short for a field that is read here.
  if (lineFeed < event.length - 3) return -1;
  return carriageReturn < 0 ? lineFeed : carriageReturn;
}

function startsWithData(event: Buffer): boolean {
  return event[0] === FIRST_OF_DATA && event.toString('latin1', 0, DATA_LENGTH) === 'data:';
}

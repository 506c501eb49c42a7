/** Server-sent events in bytes: where one ends, and what it says. */
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** The byte after the blank line that ends the event at `from`; −1 while it is not complete. */
export function eventEnd(bytes: Buffer, from: number): number {
  for (let at = bytes.indexOf(LINE_FEED, from); at >= 0; at = bytes.indexOf(LINE_FEED, at + 1)) {
    if (bytes[at + 1] === LINE_FEED) return at + 2;
    if (bytes[at + 1] === CARRIAGE_RETURN && bytes[at + 2] === LINE_FEED) return at + 3;
  }
  return -1;
}

/** The joined `data` lines of an event; empty for a comment. */
export function eventData(event: Buffer): string {
  let data: string | null = null;
  for (const line of event.toString('utf8').split(/\r?\n/)) {
    if (!line.startsWith('data:')) continue;
    const text = line.startsWith('data: ') ? line.slice(6) : line.slice(5);
    data = data === null ? text : `${data}\n${text}`;
  }
  return data ?? '';
}

/** The `event:` field; empty when there is none. */
export function eventName(event: Buffer): string {
  const match = /^event: ?([^\r\n]*)/m.exec(event.toString('latin1', 0, 200));
  return match?.[1] ?? '';
}

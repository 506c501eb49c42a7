/** One line of the router's log. Never holds a prompt, a response or a key. */
export interface LogEntry {
  readonly level: 'info' | 'warn' | 'error';
  /** A stable word for machines: `split-written`, `lease-expired`, … */
  readonly event: string;
  readonly message: string;
  readonly route?: string;
}

export type Log = (entry: LogEntry) => void;

/** JSON lines on standard error: what a router does when nobody gave it a log. */
export function standardErrorLog(entry: LogEntry): void {
  process.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), ...entry })}\n`);
}

/** The text of whatever was thrown, with the code that Node's errors carry. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = errorCode(error);
  return code === null || error.message.includes(code) ? error.message : `${error.message} (${code})`;
}

/** `code` of a Node or undici error; null when it has none. */
export function errorCode(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

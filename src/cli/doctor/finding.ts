/** One line of `doctor`. `fail` would stop a rollout; `warn` will hurt later. */
export interface Finding {
  readonly level: 'ok' | 'warn' | 'fail';
  readonly what: string;
  /** What to do; null when there is nothing to do. */
  readonly next: string | null;
}

export function ok(what: string): Finding {
  return { level: 'ok', what, next: null };
}

export function warn(what: string, next: string): Finding {
  return { level: 'warn', what, next };
}

export function fail(what: string, next: string): Finding {
  return { level: 'fail', what, next };
}

export function failed(finding: Finding): boolean {
  return finding.level === 'fail';
}

/** The words of an error that was caught. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

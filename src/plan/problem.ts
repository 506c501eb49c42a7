/** What is wrong with a file that a person wrote: every problem at once, each with path, value, fix and place. */
import type { FailureCode } from './failures.js';
import { SluiceError } from './failures.js';

export type Path = readonly (string | number)[];

/** Where a problem stands in its file; both count from 1. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** Finds the place of a path in the file it was read from; null when it stands nowhere. */
export type PositionOf = (path: Path) => Position | null;

export interface Problem {
  readonly path: Path;
  /** The whole sentence: path, value, reason and fix. */
  readonly message: string;
  readonly code?: FailureCode;
}

/** Result of reading a scalar as people write it; `why` names the rule and the fix. */
export type Parsed<Value> = { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly why: string };

const PLAIN_KEY = /^[A-Za-z_][A-Za-z0-9_-]*$/;
const SECRET_KEY = /key|token|secret|password|authorization|credential/i;

/** `stages[2].share`, `upstreams["llama-3.1"].url`. */
export function formatPath(path: Path): string {
  if (path.length === 0) return 'the document';
  return path
    .map((part, index) => {
      if (typeof part === 'number') return `[${part}]`;
      if (!PLAIN_KEY.test(part)) return `[${JSON.stringify(part)}]`;
      return index === 0 ? part : `.${part}`;
    })
    .join('');
}

/** A value as an error shows it: short, and without what may be a secret. */
function showValue(value: unknown, path: Path): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object' && value !== null) return 'a mapping';
  const text = JSON.stringify(value) ?? 'nothing';
  const key = path.findLast((part) => typeof part === 'string') ?? '';
  if (typeof value === 'string' && SECRET_KEY.test(String(key))) return `"${value.slice(0, 3)}…"`;
  if (/:\/\/[^/@]*@/.test(text)) return text.replace(/:\/\/[^/@]*@/, '://…@');
  return text.length <= 80 ? text : `${text.slice(0, 79)}…`;
}

/** A problem of one value: `stages[2].share is "150%": <why>`. */
export function valueProblem(path: Path, value: unknown, why: string, code?: FailureCode): Problem {
  const message = `${formatPath(path)} is ${value === undefined ? 'missing' : showValue(value, path)}: ${why}`;
  return code === undefined ? { path, message } : { path, message, code };
}

/** One problem as `sluice validate --json` prints it. */
export interface PlacedProblem {
  readonly path: string;
  readonly message: string;
  readonly line: number | null;
  readonly column: number | null;
}

/** Thrown for a plan or a `sluice.yaml` that cannot be used; holds every problem, not only the first. */
export class DocumentError extends SluiceError {
  readonly problems: readonly PlacedProblem[];

  constructor(code: FailureCode, message: string, problems: readonly PlacedProblem[]) {
    super(code, message);
    this.problems = problems;
  }
}

/**
 * The error of a document with problems. Its code is theirs when they agree on one, else `fallback`.
 * @param what `the plan` or `sluice.yaml`, for the first line
 * @param sourcePath the file, or null when the document came from elsewhere
 */
export function documentError(
  problems: readonly Problem[],
  options: { fallback: FailureCode; what: string; sourcePath: string | null; positionOf: PositionOf | null },
): DocumentError {
  const { fallback, what, sourcePath, positionOf } = options;
  const placed = problems.map((problem) => {
    const position = positionOf?.(problem.path) ?? null;
    return {
      path: formatPath(problem.path),
      message: problem.message,
      line: position?.line ?? null,
      column: position?.column ?? null,
    };
  });
  const codes = new Set(problems.map((problem) => problem.code ?? fallback));
  const [only] = codes;
  const code = codes.size === 1 && only !== undefined ? only : fallback;
  const lines = placed.map(({ message, line, column }) => {
    if (sourcePath === null) return message;
    return line === null || column === null
      ? `${sourcePath}: ${message}`
      : `${sourcePath}:${line}:${column}: ${message}`;
  });
  const [first = ''] = lines;
  const text = lines.length === 1 ? first : [`${lines.length} errors in ${what}:`, ...lines].join('\n  ');
  return new DocumentError(code, text, placed);
}

/** From zod's issues to problems with path and value; schemas give the words, this file the paths. */
import type { z } from 'zod';
import type { Path, Problem } from './problem.js';
import { formatPath, valueProblem } from './problem.js';

export type Checked<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/** Checks a document against its schema: the value it stands for, or every problem. */
export function check<Schema extends z.ZodType>(schema: Schema, written: unknown): Checked<z.output<Schema>> {
  const result = schema.safeParse(written, { reportInput: true, error: () => 'not a value that belongs here' });
  return result.success
    ? { ok: true, value: result.data }
    : { ok: false, problems: result.error.issues.flatMap((issue) => problemsOf(issue, [], written)) };
}

function problemsOf(issue: z.core.$ZodIssue, base: Path, root: unknown): Problem[] {
  const path = [...base, ...plainPath(issue.path)];
  switch (issue.code) {
    case 'unrecognized_keys': {
      const answers = issue.message.split('\n');
      return issue.keys.map((key, index) => {
        const keyPath = [...path, key];
        return { path: keyPath, message: `${formatPath(keyPath)}: ${answers[index] ?? 'unknown key'}` };
      });
    }
    case 'invalid_union': {
      const branch = nearestBranch(issue.errors);
      if (branch !== null) return branch.flatMap((inner) => problemsOf(inner, path, root));
      return [valueProblem(path, valueAt(root, path), issue.message)];
    }
    case 'invalid_key':
      return issue.issues.map((inner) => valueProblem(path, path.at(-1), inner.message));
    case 'invalid_element':
      return issue.issues.flatMap((inner) => problemsOf(inner, path, root));
    case 'invalid_type':
    case 'too_big':
    case 'too_small':
    case 'invalid_format':
    case 'not_multiple_of':
    case 'invalid_value':
    case 'custom':
      return [valueProblem(path, valueAt(root, path), issue.message)];
  }
}

/** The alternative that the writer had in mind: of those whose type fits the one with the fewest issues; null when none stands out. */
function nearestBranch(branches: readonly (readonly z.core.$ZodIssue[])[]): readonly z.core.$ZodIssue[] | null {
  const fitting = branches.filter((issues) =>
    issues.every(({ code, path }) => path.length > 0 || (code !== 'invalid_type' && code !== 'invalid_value')),
  );
  const [first, second] = fitting.toSorted((left, right) => left.length - right.length);
  return first === undefined || first.length === second?.length ? null : first;
}

function plainPath(path: readonly PropertyKey[]): Path {
  return path.map((part) => (typeof part === 'symbol' ? String(part) : part));
}

/** The value that stands at a path of the document as written; undefined when nothing does. */
export function valueAt(root: unknown, path: Path): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = new Map<string, unknown>(Object.entries(value)).get(String(part));
  }
  return value;
}

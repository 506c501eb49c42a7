/** A plan read from its file. */
import { readDocument } from './document.js';
import type { PositionOf } from './problem.js';

export interface PlanFile {
  /** The plan as written, for `freezePlan` here or in the pipeline's first activity. */
  readonly written: unknown;
  readonly sourcePath: string;
  readonly positionOf: PositionOf;
}

/**
 * Reads a plan's YAML; what it says is checked by `freezePlan(file.written, { ...file, config, stable })`, whose errors
 * then name line and column.
 * @throws SluiceError `plan-invalid` when the file cannot be read or is not YAML
 */
export function parsePlanFile(path: string): PlanFile {
  const { value, sourcePath, positionOf } = readDocument(path, 'plan-invalid');
  return { written: value, sourcePath, positionOf };
}

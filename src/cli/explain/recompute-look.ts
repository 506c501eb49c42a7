/** A look computed again from the ledger's evidence, and where it differs from what was recorded. */
import { Assessments } from '../../../activities/assessments.js';
import type { EvidenceLedger } from '../../../activities/assessments.js';
import type { AssessmentReading, Look } from '../../evidence/look.js';
import type { RolloutRow } from '../../ledger/ledger.js';
import { SluiceError } from '../../plan/failures.js';
import { AssessmentError } from '../../statistics/assessment/assessment-error.js';

/** One figure that is not what was recorded; null where one of the two has none. */
export interface Difference {
  /** `guardrails.error_rate.logE.breach` */
  readonly figure: string;
  readonly recorded: unknown;
  readonly recomputed: unknown;
}

export interface Recomputation {
  readonly equal: boolean;
  readonly differences: readonly Difference[];
}

/**
 * Rebuilds the rollout's assessment up to the look's position, from evidence and from ratings as they became known, and
 * compares every figure, to the last digit.
 * @param onProgress told while it takes long
 * @throws SluiceError `evidence-invalid` naming the record, `ledger-unavailable`
 */
export async function recomputeLook(
  ledger: EvidenceLedger,
  row: RolloutRow,
  look: Look,
  onProgress: () => void,
): Promise<Recomputation> {
  const promoteFromGeneration = look.promoteFromGeneration ?? 0;
  const reading = await readAgain(() =>
    new Assessments(ledger).readAt(
      row,
      look.position.closedThrough,
      { signal: new AbortController().signal, onProgress },
      (assessment) => assessment.read(look.stage, { promoteFromGeneration }),
    ),
  );
  const differences = [...differencesOf('', figures(look), figures(reading))];
  return { equal: differences.length === 0, differences };
}

async function readAgain(read: () => Promise<AssessmentReading>): Promise<AssessmentReading> {
  try {
    return await read();
  } catch (error) {
    throw error instanceof AssessmentError ? new SluiceError(error.code, error.message, { cause: error }) : error;
  }
}

/** What a look says, as it went through JSON, without what tells when and why it was taken. */
function figures(reading: AssessmentReading): unknown {
  const { stage, guardrails, crossings, promote, requests, incompleteShare, lateShare, dominance, ab } = reading;
  return JSON.parse(
    JSON.stringify({ stage, guardrails, crossings, promote, requests, incompleteShare, lateShare, dominance, ab }),
  );
}

function* differencesOf(path: string, recorded: unknown, recomputed: unknown): Generator<Difference> {
  if (isObject(recorded) && isObject(recomputed)) {
    for (const key of new Set([...Object.keys(recorded), ...Object.keys(recomputed)]))
      yield* differencesOf(path === '' ? key : `${path}.${key}`, recorded[key] ?? null, recomputed[key] ?? null);
  } else if (!Object.is(recorded, recomputed)) {
    yield { figure: path, recorded, recomputed };
  }
}

/** Lists too: their members are compared by index. */
function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

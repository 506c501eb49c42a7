import type { Outcome } from '../../plan/status.js';
import { formatDuration } from '../format.js';

export interface ScenarioResult {
  readonly scenario: string;
  readonly outcome: Outcome['state'] | 'held' | 'timed-out';
  readonly stage: string;
  readonly guardrail: string | null;
  /** What was flagged on the way. */
  readonly flags: readonly string[];
  readonly evidence: string;
  readonly seconds: number;
  /** It ended as it should. */
  readonly asExpected: boolean;
}

/** `slow: rolled-back in shadow by latency_p95 after 12s: <evidence>`. */
export function outcomeLine(result: ScenarioResult): string {
  const guardrail = result.guardrail === null ? '' : ` by ${result.guardrail}`;
  const surprise = result.asExpected ? '' : '  (NOT as expected)';
  const flags = result.flags.length === 0 ? '' : `  (flagged: ${result.flags.join('; ')})`;
  return `${result.scenario}: ${result.outcome} in ${result.stage}${guardrail} after ${formatDuration(result.seconds * 1_000)}: ${result.evidence}${flags}${surprise}`;
}

import type { AbReading, AssessmentReading } from '../../evidence/look.js';
import type { StagePlan } from '../../plan/types.js';
import { requestsOf } from './stage-counts.js';
import type { StageCounts } from './stage-counts.js';
import { whole } from './words.js';

/**
 * The reading of an ab stage: it ends on what its primary has found, once the candidate has the requests that the plan asks
 * for. The guardrails go on beside it, but their promote gates are not its gates.
 */
export function withAb(
  reading: AssessmentReading,
  ab: AbReading,
  { minRequests }: Pick<StagePlan, 'minRequests'>,
  counts: StageCounts,
): AssessmentReading {
  const { candidate } = requestsOf(counts, reading.promoteFromGeneration ?? 0);
  const waiting: AssessmentReading['promote']['waiting'][number][] = [];
  if (ab.finding === 'undecided') waiting.push({ guardrail: ab.primary, why: ab.why });
  if (candidate < minRequests) {
    waiting.push({
      guardrail: 'min_requests',
      why: `${whole(candidate)} of ${whole(minRequests)} requests of the candidate`,
    });
  }
  return { ...reading, ab, promote: { open: waiting.length === 0, waiting } };
}

import type { AssessmentReading, GuardrailStatus } from '../../evidence/look.js';
import type { GuardrailName, StagePlan } from '../../plan/types.js';
import type { Families } from './families.js';
import { guardrailStatus } from './guardrail-status.js';
import type { GuardrailTracker } from './guardrail-tracker.js';
import { requestsOf } from './stage-counts.js';
import type { StageCounts } from './stage-counts.js';
import { dominanceOf } from './stage-dominance.js';
import { whole } from './words.js';

export interface StageReading {
  readonly stagePlan: StagePlan;
  readonly stageIndex: number;
  readonly counts: StageCounts;
  readonly trackers: readonly GuardrailTracker[];
  readonly families: Families;
  readonly closedThrough: number;
  readonly promoteFromGeneration: number;
  readonly alphaPromote: number;
}

type Waiting = AssessmentReading['promote']['waiting'][number];

/** What the evidence says of one stage now: each guardrail's verdict, and whether the stage may be left for the next. */
export function readStage(reading: StageReading): AssessmentReading {
  const { stagePlan, stageIndex, counts, trackers, families } = reading;
  const statuses = trackers.map((tracker) => ({ tracker, status: guardrailStatus(tracker, families, reading) }));
  const guardrails: Partial<Record<GuardrailName, GuardrailStatus>> = {};
  for (const { tracker, status } of statuses) guardrails[tracker.guardrail.name] = status;

  const gates = statuses.filter(({ tracker }) => tracker.gates(stageIndex));
  const waiting: Waiting[] = gates
    .filter(({ status }) => status.verdict !== 'safe')
    .map(({ tracker, status }) => ({ guardrail: tracker.guardrail.name, why: status.why }));
  const { candidate } = requestsOf(counts, reading.promoteFromGeneration);
  if (candidate < stagePlan.minRequests) {
    waiting.push({
      guardrail: 'min_requests',
      why: `${whole(candidate)} of ${whole(stagePlan.minRequests)} requests of the candidate`,
    });
  } else if (gates.length === 0) {
    // Silence is not evidence: without a gate only a person or the stage's deadline moves a rollout on.
    waiting.push({ guardrail: 'min_requests', why: 'no guardrail of the plan gates this stage' });
  }
  return {
    stage: stagePlan.name,
    position: { closedThrough: reading.closedThrough },
    guardrails,
    crossings: families.crossings,
    promoteFromGeneration: reading.promoteFromGeneration,
    promote: { open: waiting.length === 0, waiting },
    requests: requestsOf(counts, 0),
    incompleteShare: counts.slices === 0 ? 0 : counts.incompleteSlices / counts.slices,
    lateShare: counts.started === 0 ? 0 : counts.late / counts.started,
    dominance: dominanceOf(counts.users),
    ab: null,
  };
}

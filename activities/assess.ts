/** Takes a look: computes the verdicts at a position from the ledger alone and records them. */
import { SluiceError } from '../src/plan/failures.js';
import type { Look } from '../src/evidence/look.js';
import type { Assessments } from './assessments.js';
import type { World } from './dependencies.js';
import { beat, beating } from './heartbeat.js';
import { storedRollout } from './stored-rollout.js';
import type { AssessInput } from './types.js';

/**
 * The same position gives the same verdicts on every worker. Idempotent by look id: the first recording is the one.
 * @throws SluiceError `rollout-unknown`, `stage-mismatch`, `evidence-invalid`, `ledger-unavailable`
 */
export async function assess(world: World, assessments: Assessments, input: AssessInput): Promise<Look> {
  const recorded = await world.ledger.look(input.lookId);
  if (recorded !== null) return recorded;
  const row = await storedRollout(world, input.rollout);
  const { signal, stop } = beating();
  try {
    const reading = await assessments.readAt(
      row,
      input.position.closedThrough,
      { signal, onProgress: () => beat() },
      (assessment) => assessment.read(input.stage, { promoteFromGeneration: input.promoteFromGeneration }),
    );
    await world.ledger.recordLook({
      ...reading,
      position: input.position,
      id: input.lookId,
      rollout: input.rollout,
      at: world.clock.now(),
      why: input.why,
    });
  } finally {
    stop();
  }
  const look = await world.ledger.look(input.lookId);
  if (look !== null) return look;
  throw new SluiceError('ledger-unavailable', `look ${input.lookId} was recorded and is not there`);
}

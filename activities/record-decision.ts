/** The audit outside Temporal's history: each decision once, and the rollout's last state. */
import type { World } from './dependencies.js';
import type { RecordDecisionInput } from './types.js';

export async function recordDecision(world: World, input: RecordDecisionInput): Promise<void> {
  await world.ledger.recordDecision(input.rollout, input.sequence, input.decision);
  await world.ledger.saveStatus(input.status);
}

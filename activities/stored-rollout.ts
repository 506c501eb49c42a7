/** The rollout as the ledger holds it: activities read the plan there and not from their inputs. */
import type { RolloutRow } from '../src/ledger/ledger.js';
import { SluiceError } from '../src/plan/failures.js';
import type { RolloutId, StageName } from '../src/plan/ids.js';
import type { StagePlan } from '../src/plan/types.js';
import type { World } from './dependencies.js';

/** @throws SluiceError `rollout-unknown` */
export async function storedRollout(world: Pick<World, 'ledger'>, rollout: RolloutId): Promise<RolloutRow> {
  const row = await world.ledger.rollout(rollout);
  if (row !== null) return row;
  throw new SluiceError(
    'rollout-unknown',
    `the ledger has no rollout ${rollout}: does this worker use the ledger that the rollout was started with (SLUICE_DATABASE_URL)?`,
  );
}

/** @throws SluiceError `stage-mismatch` */
export function stageOf(row: RolloutRow, name: StageName): StagePlan {
  const stage = row.plan.stages.find((candidate) => candidate.name === name);
  if (stage !== undefined) return stage;
  const names = row.plan.stages.map((candidate) => candidate.name).join(', ');
  throw new SluiceError('stage-mismatch', `rollout ${row.rollout} has no stage "${name}", its stages are ${names}`);
}

/** A ledger file with a rollout's simulated evidence, as commands find it below their working directory. */
import { join } from 'node:path';
import { intervalEnd } from '../../src/evidence/record.js';
import type { Ledger, RolloutRow } from '../../src/ledger/ledger.js';
import { openLedger } from '../../src/ledger/open-ledger.js';
import type { Plan } from '../../src/plan/types.js';
import { EvidenceSimulator, HEALTHY } from '../statistics/assessment/simulate-evidence.js';
import type { Behaviour } from '../statistics/assessment/simulate-evidence.js';

export interface SimulatedStage {
  readonly stage: string;
  readonly seconds: number;
  readonly candidate?: Behaviour;
}

export interface SimulatedLedger {
  readonly ledger: Ledger;
  readonly row: RolloutRow;
}

/** Opens `.sluice/ledger.db` below the directory and commits the stages' evidence at 40 requests a second. */
export async function simulatedLedger(
  directory: string,
  plan: Plan,
  stages: readonly SimulatedStage[],
  stable: Behaviour = HEALTHY,
): Promise<SimulatedLedger> {
  const ledger = await openLedger({ sqlitePath: join(directory, '.sluice', 'ledger.db') });
  const simulator = new EvidenceSimulator(plan, 3);
  const row = await ledger.openRollout({
    rollout: simulator.rollout,
    route: plan.route,
    plan,
    salt: 'salt',
    seeds: simulator.seeds(stable, 1000),
    startedAt: Date.parse('2026-11-24T09:00:00.000Z'),
  });
  for (const { stage, seconds, candidate = stable } of stages) {
    for (const records of simulator.stage(stage, seconds, { requestsPerSecond: 40, stable, candidate })) {
      const [first] = records;
      if (first === undefined) continue;
      await ledger.commitEvidence({ rollout: row.rollout, records, ratings: [], closedThrough: intervalEnd(first) });
    }
  }
  return { ledger, row };
}

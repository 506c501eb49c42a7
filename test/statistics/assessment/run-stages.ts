/** Whole rollouts from simulated records, for tests of one guardrail at a time. */
import type { GuardrailStatus } from '../../../src/evidence/look.js';
import { stageName } from '../../../src/plan/ids.js';
import type { GuardrailName, Plan } from '../../../src/plan/types.js';
import { createAssessment } from '../../../src/statistics/assessment/assessment.js';
import type { Assessment } from '../../../src/statistics/assessment/assessment.js';
import { EvidenceSimulator } from './simulate-evidence.js';
import type { Traffic } from './simulate-evidence.js';

export interface StageRun {
  readonly stage: string;
  readonly seconds: number;
  readonly traffic: Traffic;
}

/** Absorbs the stages one after the other; stable's own meter gave `seedRequests` values before. */
export function runStages(plan: Plan, seed: number, stages: readonly StageRun[], seedRequests = 0): Assessment {
  const simulator = new EvidenceSimulator(plan, seed);
  const [first] = stages;
  const seeds = first && seedRequests > 0 ? simulator.seeds(first.traffic.stable, seedRequests) : {};
  const assessment = createAssessment(plan, seeds);
  for (const { stage, seconds, traffic } of stages) {
    for (const records of simulator.stage(stage, seconds, traffic)) assessment.absorb(records);
  }
  return assessment;
}

export function statusOf(assessment: Assessment, name: GuardrailName, stage: string, from = 0): GuardrailStatus {
  const status = assessment.read(stageName(stage), { promoteFromGeneration: from }).guardrails[name];
  if (!status) throw new Error(`no status of ${name}`);
  return status;
}

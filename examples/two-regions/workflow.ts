/**
 * A pipeline of one's own, made of sluice's parts: the same plan in region eu, then in region us, stage by stage, and one
 * rollback for both. It is an ordinary Temporal workflow; a worker of yours runs it.
 *
 * In a project of your own the import reads `from 'sluice/workflows/parts'`.
 */
import { defineQuery, setHandler } from '@temporalio/workflow';
import {
  advance,
  currentStage,
  keepStage,
  listen,
  open,
  orRollBack,
  promote,
  runStage,
  statusOf,
} from '../../workflows/parts.js';
import type { Run } from '../../workflows/parts.js';

export interface TwoRegionsInput {
  /** The plan as written in its file; each region checks it against its own `sluice.yaml`. */
  readonly plan: unknown;
  readonly by: string;
}

/** The public state of both regions; the query `status` tells of eu alone. */
export const regionsQuery = defineQuery<Readonly<Record<'eu' | 'us', ReturnType<typeof statusOf> | null>>>('regions');

/**
 * Each region has its routers, its ledger and its workers, on a task queue of its own: start those with
 * `sluice worker --task-queue sluice-eu` and `sluice-us`. Signals and updates are those of `rollout` and go to both.
 */
export async function twoRegions({ plan, by }: TwoRegionsInput): Promise<{ eu: string; us: string }> {
  const messages = listen();
  setHandler(regionsQuery, () => {
    const [europe, america] = messages.runs.map(({ state }) => statusOf(state));
    return { eu: europe ?? null, us: america ?? null };
  });
  const eu = await open(messages, { plan, by }, { taskQueue: 'sluice-eu' });
  const us = await open(messages, { plan, by }, { taskQueue: 'sluice-us' });

  await orRollBack([eu, us], async () => {
    for (const stage of eu.state.plan.stages) {
      await keepStage(us, () => walk(eu, stage.name));
      await keepStage(eu, () => walk(us, stage.name));
    }
    await Promise.all([eu, us].map(arrive));
  });

  return { eu: outcomeOf(eu), us: outcomeOf(us) };
}

/** Takes a region through one stage, unless a person has promoted it to the end. */
async function walk(region: Run, stage: string): Promise<void> {
  if (currentStage(region.state).name !== stage) advance(region);
  if (region.state.finishing === null) await runStage(region);
}

async function arrive(region: Run): Promise<void> {
  advance(region);
  await promote(region);
}

function outcomeOf({ state }: Run): string {
  return state.outcome?.state ?? 'unknown';
}

/** Another worker's process on the same ledger: compiled and started by ledger-process.ts. */
import { once } from 'node:events';
import type { EvidenceBatch } from '../../src/ledger/ledger.js';
import { openLedger } from '../../src/ledger/open-ledger.js';
import type { LedgerOptions } from '../../src/ledger/open-ledger.js';
import { FIRST, INTERVAL_MS, rating, record, ROLLOUT } from '../evidence/records.js';

export interface ChildTask {
  readonly options: LedgerOptions;
  readonly replica: string;
  /** How many intervals it commits, one commit each; 0 = it only opens the ledger. */
  readonly commits: number;
}

/** Says `ready`, waits for a line, opens the ledger, says `opened`, then `committed N` after each commit. */
async function run(task: ChildTask): Promise<void> {
  process.stdout.write('ready\n');
  await once(process.stdin, 'data');
  const ledger = await openLedger(task.options);
  process.stdout.write('opened\n');
  for (let step = 0; step < task.commits; step += 1) {
    await ledger.commitEvidence(batchOf(task.replica, step));
    process.stdout.write(`committed ${step}\n`);
  }
  await ledger.close();
  process.stdin.destroy();
}

/** What the child sends for a step; whoever sends it again must change nothing. */
export function batchOf(replica: string, step: number): EvidenceBatch {
  const intervalStart = FIRST + step * INTERVAL_MS;
  return {
    rollout: ROLLOUT,
    records: (['stable', 'candidate'] as const).map((variant) => record({ intervalStart, replica, variant })),
    ratings: [rating({ nonce: `${replica} ${step}`, requestStartedAt: intervalStart })],
    closedThrough: 0,
  };
}

function isTask(value: unknown): value is ChildTask {
  return typeof value === 'object' && value !== null && 'options' in value && 'commits' in value;
}

const argument = process.env['LEDGER_CHILD_TASK'];
if (argument !== undefined) {
  const task: unknown = JSON.parse(argument);
  if (!isTask(task)) throw new Error(`no task: ${argument}`);
  await run(task);
}

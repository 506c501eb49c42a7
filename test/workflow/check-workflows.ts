/** Checks as a team might write them, for the tests of gates. */
import { sleep } from '@temporalio/workflow';

interface Subject {
  readonly route: string;
  readonly rollout: string;
  readonly stage: string;
  readonly candidate: string;
}

/** Takes two hours, then passes the candidate that it knows. */
export async function evalSuite({ candidate }: Subject): Promise<{ pass: boolean }> {
  await sleep('2 hours');
  return { pass: candidate === 'llama-32' };
}

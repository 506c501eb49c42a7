import type { Connection } from '@temporalio/client';
import { connectClient } from '../../temporal/connection.js';
import { checkSearchAttributes, registerCommand } from '../../temporal/search-attributes.js';
import { describeTarget } from '../../temporal/target.js';
import { noWorker, pollersOf } from '../../temporal/task-queue.js';
import type { Io } from '../io.js';
import { targetOf, type ConnectionFlags } from '../session.js';
import { fail, ok, warn, wordsOf, type Finding } from './finding.js';

/** A five-week rollout whose history is gone before its end cannot be read afterwards. */
const RETENTION_DAYS = 45;

/** Whether Temporal answers, keeps histories long enough, has the search attributes, and has a worker. */
export async function temporalFindings(io: Io, flags: ConnectionFlags): Promise<readonly Finding[]> {
  let connection: Connection;
  const target = targetOf(flags, io);
  try {
    connection = await connectClient(target);
  } catch (error) {
    return [fail(wordsOf(error), 'start Temporal, or correct the address')];
  }
  try {
    return [
      ok(`Temporal answers at ${describeTarget(target)}`),
      await retentionFinding(connection, target.namespace),
      await attributesFinding(connection, target.namespace),
      await workerFinding(connection, target.namespace),
    ];
  } finally {
    await connection.close();
  }
}

async function retentionFinding(connection: Connection, namespace: string): Promise<Finding> {
  const { config } = await connection.workflowService.describeNamespace({ namespace });
  const days = Number(config?.workflowExecutionRetentionTtl?.seconds ?? 0) / 86_400;
  const what = `namespace ${namespace} keeps ended histories for ${String(days)} days`;
  if (days >= RETENTION_DAYS) return ok(what);
  return warn(
    what,
    `a rollout's early runs vanish before its end; for production: temporal operator namespace update --namespace ${namespace} --retention 90d`,
  );
}

async function attributesFinding(connection: Connection, namespace: string): Promise<Finding> {
  try {
    const check = await checkSearchAttributes(connection, namespace);
    if (check.registered) return ok('search attributes are registered');
    const commands = check.missing.map((name) => registerCommand(name, namespace));
    return warn(
      `search attributes are not all registered (optional): ${[...check.missing, ...check.wrongType].join(', ')}`,
      commands.join('\n      '),
    );
  } catch (error) {
    return warn(wordsOf(error), 'they are optional');
  }
}

async function workerFinding(connection: Connection, namespace: string): Promise<Finding> {
  const pollers = await pollersOf(connection, namespace);
  if (pollers.length > 0) return ok(`workers polling: ${pollers.map((poller) => poller.identity).join(', ')}`);
  return fail(noWorker(namespace).message, 'sluice worker');
}

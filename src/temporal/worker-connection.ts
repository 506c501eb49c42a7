/** The worker's connection: apart from the client's, since the native core takes a second to load. */
import { NativeConnection } from '@temporalio/worker';
import { connectClient, unreachable } from './connection.js';
import type { TemporalTarget } from './target.js';

/**
 * Connects the native core. The client's connection goes first: the native one has no time limit of its own.
 * @throws SluiceError `temporal-unreachable`
 */
export async function connectWorker(target: TemporalTarget): Promise<NativeConnection> {
  const probe = await connectClient(target);
  await probe.close();
  try {
    return await NativeConnection.connect({ address: target.address, ...target.connection });
  } catch (error) {
    throw unreachable(target, error);
  }
}

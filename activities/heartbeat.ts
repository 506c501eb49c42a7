/** Heartbeats of activities that wait: without them neither a cancellation nor the loss of a worker is seen. */
import { Context } from '@temporalio/activity';

/** Tells Temporal that the activity lives; an activity without a heartbeat timeout must not. */
export function beat(details?: unknown): void {
  const context = Context.current();
  if (context.info.heartbeatTimeoutMs === undefined) return;
  context.heartbeat(details);
}

/** Beats from now on until `stop`, with the details of that moment; the signal is the activity's own. */
export function beating(details: () => unknown = () => undefined): {
  readonly signal: AbortSignal;
  readonly stop: () => void;
} {
  const context = Context.current();
  const { heartbeatTimeoutMs } = context.info;
  const everyMs = Math.max(250, (heartbeatTimeoutMs ?? 0) / 3);
  const timer = heartbeatTimeoutMs === undefined ? null : setInterval(() => context.heartbeat(details()), everyMs);
  return { signal: context.cancellationSignal, stop: () => timer !== null && clearInterval(timer) };
}

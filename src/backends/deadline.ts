/** A call with a time limit of its own inside an activity that may be cancelled. */
import { setMaxListeners } from 'node:events';

/**
 * Runs `work` with a signal that aborts when `signal` does, for its reason, or after `timeoutMs`, for the reason that
 * `timeout` gives. Nothing stays attached to `signal`: not `AbortSignal.any`, whose combinations Node 20 keeps for as long
 * as an activity lives, which may be days.
 */
export async function withDeadline<Output>(
  signal: AbortSignal,
  timeoutMs: number,
  timeout: () => Error,
  work: (signal: AbortSignal) => Promise<Output>,
): Promise<Output> {
  const controller = new AbortController();
  const forward = (): void => controller.abort(signal.reason);
  if (signal.aborted) forward();
  // A fleet is asked in parallel: many listeners are no leak here.
  setMaxListeners(0, signal);
  signal.addEventListener('abort', forward, { once: true });
  const timer = setTimeout(() => controller.abort(timeout()), timeoutMs);
  try {
    return await work(controller.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', forward);
  }
}

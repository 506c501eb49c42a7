import { getEventListeners } from 'node:events';
import { expect, it } from 'vitest';
import { withDeadline } from '../../src/backends/deadline.js';

const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason instanceof Error ? signal.reason : new Error('none')));
  });

it('gives the result and leaves nothing attached, however many run at once', async () => {
  const { signal } = new AbortController();
  const warnings: Error[] = [];
  const listen = (warning: Error): void => void warnings.push(warning);
  process.on('warning', listen);
  const results = await Promise.all(
    Array.from({ length: 50 }, (_, index) =>
      withDeadline(
        signal,
        10_000,
        () => new Error('late'),
        async () => {
          await new Promise(setImmediate);
          return index;
        },
      ),
    ),
  );
  await new Promise(setImmediate);
  process.off('warning', listen);
  expect(results).toHaveLength(50);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  expect(warnings).toEqual([]);
});

it('aborts for the reason of the limit', async () => {
  const { signal } = new AbortController();
  await expect(withDeadline(signal, 5, () => new Error('late'), untilAborted)).rejects.toThrow('late');
});

it('aborts for the reason of the one who cancels', async () => {
  const controller = new AbortController();
  const running = withDeadline(controller.signal, 10_000, () => new Error('late'), untilAborted);
  controller.abort(new Error('cancelled'));
  await expect(running).rejects.toThrow('cancelled');
});

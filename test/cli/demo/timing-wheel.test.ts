import { describe, expect, it } from 'vitest';
import { TimingWheel } from '../../../src/cli/demo/timing-wheel.js';

/** Settles with the time that had passed, ms. */
function elapsed(wheel: TimingWheel, delayMs: number): Promise<number> {
  const start = performance.now();
  return new Promise((resolve) => wheel.after(delayMs, () => resolve(performance.now() - start)));
}

describe('TimingWheel', () => {
  it('never ends a delay early, a turn of the wheel included', async () => {
    const wheel = new TimingWheel();
    const delays = [0, 1, 7, 50, 2500];
    const times = await Promise.all(delays.map((delayMs) => elapsed(wheel, delayMs)));
    for (const [index, time] of times.entries()) expect(time).toBeGreaterThanOrEqual(delays[index] ?? 0);
  });

  it('ends delays in their order, after idle times too', async () => {
    const wheel = new TimingWheel();
    await elapsed(wheel, 5);
    await elapsed(wheel, 5);
    const order: number[] = [];
    await Promise.all(
      [30, 10, 20].map(
        (delayMs) =>
          new Promise<void>((resolve) =>
            wheel.after(delayMs, () => {
              order.push(delayMs);
              resolve();
            }),
          ),
      ),
    );
    expect(order).toEqual([10, 20, 30]);
  });

  it('lets an action ask for the next delay', async () => {
    const wheel = new TimingWheel();
    const steps = await new Promise<number>((resolve) => {
      const step = (count: number): void => {
        if (count === 5) resolve(count);
        else wheel.after(1, () => step(count + 1));
      };
      step(0);
    });
    expect(steps).toBe(5);
  });

  it('forgets what is cancelled or stopped', async () => {
    const wheel = new TimingWheel();
    const done: string[] = [];
    const cancelled = wheel.after(5, () => done.push('cancelled'));
    cancelled.cancel();
    cancelled.cancel();
    await elapsed(wheel, 20);
    expect(done).toEqual([]);

    wheel.after(5, () => done.push('stopped'));
    wheel.stop();
    await elapsed(wheel, 20);
    expect(done).toEqual([]);
  });
});

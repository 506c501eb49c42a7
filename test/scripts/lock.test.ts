import { existsSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { withLock } from '../../scripts/setup/lock.mjs';

let directory: string;
let lock: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-lock-'));
  lock = join(directory, 'nested', 'set-up.lock');
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

function leaveLock(owner: string, ageMs: number): void {
  mkdirSync(lock, { recursive: true });
  writeFileSync(join(lock, 'owner'), owner);
  const then = new Date(Date.now() - ageMs);
  utimesSync(lock, then, then);
}

describe('withLock', () => {
  it('lets one work at a time and leaves nothing behind', async () => {
    const events: string[] = [];
    const work = async (name: string): Promise<void> => {
      events.push(`${name} starts`);
      await sleep(20);
      events.push(`${name} ends`);
    };
    await Promise.all([
      withLock(lock, 'set-up', async () => work('first')),
      withLock(lock, 'set-up', async () => work('second')),
    ]);
    expect(events).toEqual(['first starts', 'first ends', 'second starts', 'second ends']);
    expect(existsSync(lock)).toBe(false);
  });

  it('is let go when the work fails', async () => {
    await expect(withLock(lock, 'set-up', async () => Promise.reject(new Error('no network')))).rejects.toThrow(
      'no network',
    );
    expect(existsSync(lock)).toBe(false);
  });

  it.each([
    ['whose process has died', () => leaveLock(`${hostname()} 2147483646`, 0)],
    ['of another machine that has gone silent', () => leaveLock('elsewhere 1', 120_000)],
  ])('takes over a lock %s', async (_, leave) => {
    leave();
    await expect(withLock(lock, 'set-up', async () => Promise.resolve('done'))).resolves.toBe('done');
  });
});

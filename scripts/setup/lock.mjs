import { mkdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from './say.mjs';

const TOUCH_EVERY_MS = 5_000;
const STALE_AFTER_MS = 60_000;

/**
 * Runs `work` while holding a lock directory, so that two set-ups or builds in one checkout take turns.
 * The holder touches the directory; one that has died is recognised by its process id or by its silence.
 *
 * @template T
 * @param {string} path
 * @param {string} what
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function withLock(path, what, work) {
  mkdirSync(dirname(path), { recursive: true });
  let told = false;
  while (!tryAcquire(path)) {
    const owner = readOwner(path);
    if (isStale(path, owner)) {
      breakLock(path, owner);
      continue;
    }
    if (!told) say(`waiting for another process to finish the ${what}`);
    told = true;
    await sleep(200);
  }

  const touch = setInterval(() => {
    const now = new Date();
    utimesSync(path, now, now);
  }, TOUCH_EVERY_MS);
  const release = () => rmSync(path, { recursive: true, force: true });
  /** @type {(signal: NodeJS.Signals) => void} */
  const onSignal = (signal) => {
    release();
    process.exit(signal === 'SIGINT' ? 130 : 143);
  };
  process.on('exit', release).on('SIGINT', onSignal).on('SIGTERM', onSignal);
  try {
    return await work();
  } finally {
    clearInterval(touch);
    process.off('exit', release).off('SIGINT', onSignal).off('SIGTERM', onSignal);
    release();
  }
}

function tryAcquire(/** @type {string} */ path) {
  try {
    mkdirSync(path);
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false;
    throw error;
  }
  writeFileSync(join(path, 'owner'), `${hostname()} ${process.pid}`);
  return true;
}

/** @returns {string | null} */
function readOwner(/** @type {string} */ path) {
  try {
    return readFileSync(join(path, 'owner'), 'utf8');
  } catch {
    return null;
  }
}

function isStale(/** @type {string} */ path, /** @type {string | null} */ owner) {
  const [host, pid] = owner?.split(' ') ?? [];
  if (host === hostname() && pid !== undefined && !isAlive(Number(pid))) return true;
  try {
    return Date.now() - statSync(path).mtimeMs > STALE_AFTER_MS;
  } catch {
    return false;
  }
}

function isAlive(/** @type {number} */ pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isCode(error, 'EPERM');
  }
}

/** Moves the lock away before deleting it: of two processes that found it stale, only one can. */
function breakLock(/** @type {string} */ path, /** @type {string | null} */ owner) {
  const aside = `${path}.stale-${process.pid}`;
  try {
    renameSync(path, aside);
    // Somebody else was faster and this is a live lock: put it back.
    if (readOwner(aside) !== owner) renameSync(aside, path);
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error;
  }
  rmSync(aside, { recursive: true, force: true });
}

function isCode(/** @type {unknown} */ error, /** @type {string} */ code) {
  return error instanceof Error && 'code' in error && error.code === code;
}

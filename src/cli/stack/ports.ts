/** A wanted port of the embedded stack: itself when it is free, else an error that names who holds it. */
import { once } from 'node:events';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { SluiceError } from '../../plan/failures.js';

/**
 * @returns `port` itself
 * @throws SluiceError `port-taken` (exit 2) naming the purpose, the port and, where the system tells, its holder
 */
export async function requirePort(port: number, purpose: string): Promise<number> {
  try {
    await listenOnce(port);
    return port;
  } catch (cause) {
    const holder = portHolder(port);
    throw new SluiceError(
      'port-taken',
      `port ${String(port)} (${purpose}) is taken${holder === null ? '' : ` by ${holder}`}; end it, or use --free-ports`,
      { cause },
    );
  }
}

/** Rejects when somebody listens there. */
async function listenOnce(port: number): Promise<void> {
  const server = createServer();
  server.listen({ host: '127.0.0.1', port, exclusive: true });
  await once(server, 'listening');
  server.close();
  await once(server, 'close');
}

/** `node (pid 4711)`, from /proc; null where the system has none or does not say. */
function portHolder(port: number): string | null {
  try {
    const inode = listeningInode(port);
    return inode === null ? null : processWithSocket(inode);
  } catch {
    return null;
  }
}

/** Columns of /proc/net/tcp: 1 local address in hex, 3 state (0A listens), 9 inode. */
function listeningInode(port: number): string | null {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readFileSync(table, 'utf8').split('\n').slice(1)) {
      const columns = line.trim().split(/\s+/);
      if (columns[1]?.endsWith(suffix) === true && columns[3] === '0A') return columns[9] ?? null;
    }
  }
  return null;
}

function processWithSocket(inode: string): string | null {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    if (!openFiles(pid).includes(`socket:[${inode}]`)) continue;
    return `${readFileSync(`/proc/${pid}/comm`, 'utf8').trim()} (pid ${pid})`;
  }
  return null;
}

function openFiles(pid: string): string[] {
  const directory = `/proc/${pid}/fd`;
  return orNone(() => readdirSync(directory)).flatMap((descriptor) =>
    orNone(() => [readlinkSync(`${directory}/${descriptor}`)]),
  );
}

/** Another user's process, one that has just ended, or a descriptor that was open for this very look. */
function orNone(read: () => string[]): string[] {
  try {
    return read();
  } catch {
    return [];
  }
}

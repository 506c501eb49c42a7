import { once } from 'node:events';
import { createServer } from 'node:net';
import { afterEach, expect, it } from 'vitest';
import { requirePort } from '../../src/cli/stack/ports.js';
import { freePort } from '../../src/temporal/free-port.js';

const servers: ReturnType<typeof createServer>[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.close();
    await once(server, 'close');
  }
});

async function listener(): Promise<number> {
  const server = createServer();
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

it('gives a port that can be listened on', async () => {
  const port = await freePort();
  await expect(requirePort(port, 'router')).resolves.toBe(port);
});

it.runIf(process.platform === 'linux')('names the purpose, the port and its holder', async () => {
  const port = await listener();
  const failure = requirePort(port, 'the router');
  await expect(failure).rejects.toThrow(
    new RegExp(`^port ${port} \\(the router\\) is taken by .+ \\(pid ${process.pid}\\); end it, or use --free-ports$`),
  );
  await expect(failure).rejects.toHaveProperty('code', 'port-taken');
});

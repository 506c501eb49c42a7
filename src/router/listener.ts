import type { Server } from 'node:http';
import { SluiceError } from '../plan/failures.js';
import type { Listen } from '../plan/config.js';
import { errorCode } from './log.js';

/** Listens and returns the address; throws `port-taken` when something else does already. */
export function listen(server: Server, { host, port }: Listen, what: string): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      const message = `${what}: ${host}:${port} is in use by another process; stop it or choose another port`;
      const taken = errorCode(error) === 'EADDRINUSE';
      reject(taken ? new SluiceError('port-taken', message, { cause: error }) : error);
    });
    server.listen(port, host, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : port;
      resolve(`http://${host.includes(':') ? `[${host}]` : host}:${bound}`);
    });
  });
}

/** Resolves when the last connection is gone; idle ones are closed now. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    if (server.listening) server.close(() => resolve());
    else resolve();
  });
}

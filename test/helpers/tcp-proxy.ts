import { connect, createServer } from 'node:net';
import type { Socket } from 'node:net';

/** A cable between a client and a server that a test may cut, hold and mend. */
export interface TcpProxy {
  readonly port: number;
  /** Ends every connection and refuses new ones. */
  cut(): void;
  /** Swallows everything from now on, on every connection: nothing is refused, nothing arrives. */
  hold(): void;
  /** New connections work again; held ones stay dead. */
  mend(): void;
  /** The next time a client sends `text`, the server gets it, and the connection ends as soon as the server answers. */
  cutAtAnswerTo(text: string): void;
  close(): Promise<void>;
}

/** To 127.0.0.1:`targetPort`. */
export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let state: 'open' | 'cut' | 'held' = 'open';
  let fatalText: string | null = null;

  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    return socket;
  };
  const server = createServer((client) => {
    track(client);
    if (state === 'cut') {
      client.destroy();
      return;
    }
    const upstream = track(connect(targetPort, '127.0.0.1'));
    let isDead = false;
    let isDoomed = false;
    const passesNothing = (): boolean => (isDead ||= state === 'held');
    client.on('data', (data) => {
      if (passesNothing()) return;
      if (fatalText !== null && data.includes(fatalText)) {
        fatalText = null;
        isDoomed = true;
      }
      upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (passesNothing()) return;
      if (isDoomed) client.destroy();
      else client.write(data);
    });
    client.on('close', () => upstream.destroy());
    upstream.on('close', () => client.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the proxy has no port');
  const endAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: address.port,
    cut: () => {
      state = 'cut';
      endAll();
    },
    hold: () => {
      state = 'held';
    },
    mend: () => {
      state = 'open';
    },
    cutAtAnswerTo: (text) => {
      fatalText = text;
    },
    close: async () => {
      endAll();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

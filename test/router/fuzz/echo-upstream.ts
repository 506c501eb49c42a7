import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';

export interface EchoUpstream {
  readonly url: string;
  /** What was wrong with what the router sent. */
  readonly faults: string[];
  close(): Promise<void>;
}

/**
 * An upstream that gives back what it gets, or fails as the request asks it to. It reads strictly: whatever clients send,
 * the router must speak proper HTTP.
 */
export async function startEchoUpstream(): Promise<EchoUpstream> {
  const faults: string[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', () => answer(request, response, Buffer.concat(chunks)));
    if (request.headers['x-sluice-route'] !== undefined) faults.push('a header of the router reached an upstream');
    if (request.url?.startsWith('/v1/') !== true) faults.push(`an upstream was called at ${request.url ?? ''}`);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    // A request that the router gave up is no fault of its grammar.
    if (error.code?.startsWith('HPE_') === true && error.code !== 'HPE_INVALID_EOF_STATE') faults.push(error.code);
    socket.destroy();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('no port');
  return {
    url: `http://127.0.0.1:${address.port}/v1`,
    faults,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(request: IncomingMessage, response: ServerResponse, body: Buffer): void {
  const echo = JSON.stringify({ echo: body.toString('base64'), mark: request.headers['x-mark'] ?? null });
  switch (request.headers['x-behave']) {
    case 'reset':
      request.socket.resetAndDestroy();
      return;
    case 'truncate':
      response.writeHead(200, { 'content-length': echo.length + 100 });
      response.write(echo, () => request.socket.destroy());
      return;
    case 'garbage':
      request.socket.end('\0 no HTTP \r\n\r\n');
      return;
    case 'odd':
      request.socket.end('HTTP/1.1 099 Odd\r\nconnection: a, b\r\nconnection: c\r\n\r\n');
      return;
    case 'slow':
      setTimeout(() => response.end(echo), 20);
      return;
    case 'stream':
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const byte of `data: ${echo}\n\ndata: [DONE]\n\n`.match(/[^]{1,17}/g) ?? []) response.write(byte);
      response.end();
      return;
    default:
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(echo) });
      response.end(request.method === 'HEAD' ? undefined : echo);
  }
}

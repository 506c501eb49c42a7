import { createServer } from 'node:http';
import { Pool } from 'undici';
import type { Dispatcher } from 'undici';

/**
 * `node bare-proxy.js UPSTREAM_PORT`: the floor under the router. The same node:http server and undici dispatch, and
 * nothing else: no body is read, nothing is chosen, counted or signed. Prints its port.
 */
const NEVER_TO_CLIENT = new Set(['connection', 'keep-alive', 'transfer-encoding']);
const NEVER_TO_UPSTREAM = new Set([...NEVER_TO_CLIENT, 'host', 'content-length']);
const pool = new Pool(`http://127.0.0.1:${process.argv[2]}`, { pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.once('end', () => {
    const headers: string[] = [];
    for (let index = 0; index + 1 < request.rawHeaders.length; index += 2) {
      const name = request.rawHeaders[index] ?? '';
      if (!NEVER_TO_UPSTREAM.has(name.toLowerCase())) headers.push(name, request.rawHeaders[index + 1] ?? '');
    }
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => undefined,
      onResponseStart(_controller, status, answered) {
        const passed: Record<string, string | string[]> = {};
        for (const [name, value] of Object.entries(answered)) {
          if (value !== undefined && !NEVER_TO_CLIENT.has(name)) passed[name] = value;
        }
        response.writeHead(status, passed);
        if (passed['content-length'] === undefined) response.flushHeaders();
      },
      onResponseData: (_controller, chunk) => void response.write(chunk),
      onResponseEnd: () => void response.end(),
      onResponseError: () => void response.destroy(),
    };
    const [only] = chunks;
    const body = chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks);
    pool.dispatch({ path: request.url ?? '/', method: request.method ?? 'POST', headers, body }, handler);
  });
});
server.listen(0, '127.0.0.1', () => {
  const address = server.address();
  process.stdout.write(`${typeof address === 'object' && address !== null ? address.port : 0}\n`);
});

import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { createServer as createListener, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runCheck } from '../../activities/run-check.js';

const subject = { route: 'support', rollout: 'support@2026-11-24T09:00:00Z', stage: 'canary-5' };
const never = new AbortController().signal;

describe('a command', () => {
  const command = (words: readonly string[], timeoutMs = 5_000) =>
    ({ kind: 'command', name: 'smoke', command: words, timeoutMs }) as const;

  it.each([
    ['passes on exit 0', [process.execPath, '-e', 'process.exit(0)'], { pass: true, why: 'exit 0' }],
    ['fails on exit 3', [process.execPath, '-e', 'process.exit(3)'], { pass: false, why: 'exit 3' }],
    [
      'fails when it is killed',
      [process.execPath, '-e', 'process.kill(process.pid, "SIGTERM")'],
      { pass: false, why: 'ended by SIGTERM' },
    ],
    ['fails when there is no such program', ['/no/such/program'], { pass: false, why: 'it cannot be run: ENOENT' }],
  ])('%s', async (_what, words, outcome) => {
    await expect(runCheck(command(words), subject, process.env, never)).resolves.toEqual(outcome);
  });

  it('gets its words as they are, without a shell, and the rollout in its environment', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'sluice-check-'));
    try {
      const file = join(directory, 'seen.json');
      const script = `require('fs').writeFileSync(${JSON.stringify(file)}, JSON.stringify([process.argv.slice(1), process.env.SLUICE_STAGE]))`;
      const words = [process.execPath, '-e', script, '--', '$(touch pwned); *', 'a b'];
      await expect(runCheck(command(words), subject, process.env, never)).resolves.toMatchObject({ pass: true });
      expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual([['$(touch pwned); *', 'a b'], 'canary-5']);
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  });

  it('is ended with everything it started when its time is over', async () => {
    const listener = createListener().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const bound = listener.address();
    if (bound === null || typeof bound === 'string') throw new Error('no port');
    const connected = once(listener, 'connection');
    const grandchild = `require('net').connect(${bound.port}, '127.0.0.1').on('error', () => {})`;
    const script = `require('child_process').spawn(process.execPath, ['-e', ${JSON.stringify(grandchild)}]); setInterval(() => {}, 1000)`;
    const running = runCheck(command([process.execPath, '-e', script], 1_500), subject, process.env, never);
    const socket: unknown = (await connected)[0];
    if (!(socket instanceof Socket)) throw new Error('no socket');
    const hungUp = once(
      socket.on('error', () => undefined),
      'close',
    );
    await expect(running).resolves.toEqual({ pass: false, why: 'not done within 1500 ms' });
    await hungUp;
    listener.close();
  });

  it('is ended when the activity is cancelled', async () => {
    const controller = new AbortController();
    const reason = new Error('cancelled');
    const running = runCheck(
      command([process.execPath, '-e', 'setInterval(() => {}, 1000)']),
      subject,
      process.env,
      controller.signal,
    );
    controller.abort(reason);
    await expect(running).rejects.toBe(reason);
  });
});

describe('a URL', () => {
  let server: Server;
  let url: string;

  beforeEach(async () => {
    server = createServer((request, response) => {
      if (request.url === '/hang') return;
      response.writeHead(request.url === '/ok' ? 204 : 503);
      response.end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const bound = server.address();
    if (bound === null || typeof bound === 'string') throw new Error('no port');
    url = `http://127.0.0.1:${bound.port}`;
  });

  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  it.each([
    ['passes on 2xx', '/ok', { pass: true, why: 'status 204' }],
    ['fails on 503', '/no', { pass: false, why: 'status 503' }],
    ['fails when it hangs', '/hang', { pass: false, why: 'not done within 200 ms' }],
  ])('%s', async (_what, path, outcome) => {
    const check = { kind: 'url', name: 'smoke', url: `${url}${path}`, timeoutMs: 200 } as const;
    await expect(runCheck(check, subject, {}, never)).resolves.toEqual(outcome);
  });

  it('fails where nobody listens, without the URL in its words', async () => {
    const check = { kind: 'url', name: 'smoke', url: 'http://127.0.0.1:1/?token=secret', timeoutMs: 1_000 } as const;
    await expect(runCheck(check, subject, {}, never)).resolves.toEqual({ pass: false, why: 'ECONNREFUSED' });
  });
});

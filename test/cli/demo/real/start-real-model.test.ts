import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startRealModel } from '../../../../src/cli/demo/real/start-real-model.js';
import type { RealModelOptions, RunningModel } from '../../../../src/cli/demo/real/start-real-model.js';

/** What `python3 serve.py MODEL ALIAS --port=…` does, in Node: it answers, and notes what it is asked. */
const SERVER = `
import { createServer } from 'node:http';
const [script, model, alias, ...flags] = process.argv.slice(2);
console.log(JSON.stringify({ script, model, alias, flags }));
if (model === 'broken.gguf') { console.log('no such model'); process.exit(3); }
const port = Number(flags[0].split('=')[1]);
if (model !== 'silent.gguf') createServer((request, response) => {
  if (request.method === 'POST') console.log('asked ' + request.url);
  response.writeHead(request.url === '/health' ? 200 : 400).end('{}');
}).listen(port, '127.0.0.1');
if (model === 'stubborn.gguf') process.on('SIGTERM', () => console.log('never'));
process.stdin.on('end', () => process.exit(0)).resume();
`;

let directory = '';
const open: RunningModel[] = [];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-model-'));
  writeFileSync(join(directory, 'server.mjs'), SERVER);
  writeFileSync(join(directory, 'python3'), `#!/bin/sh\nexec ${process.execPath} ${directory}/server.mjs "$@"\n`);
  chmodSync(join(directory, 'python3'), 0o755);
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((model) => model.stop()));
  rmSync(directory, { recursive: true, force: true });
});

async function start(options: Partial<RealModelOptions> = {}): Promise<RunningModel> {
  const model = await startRealModel({
    python: { command: join(directory, 'python3'), env: process.env },
    model: 'model.gguf',
    alias: 'smollm2',
    contextTokensPerSlot: 256,
    slots: 4,
    threads: 1,
    cpu: null,
    logFile: join(directory, 'logs', 'model.log'),
    ...options,
  });
  open.push(model);
  return model;
}

function log(): string {
  return readFileSync(join(directory, 'logs', 'model.log'), 'utf8');
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(process.platform === 'win32')('a real model', () => {
  it('serves on the loopback interface, as it was told to', async () => {
    const { url, pid } = await start();
    const { port, hostname, pathname } = new URL(url);
    expect([hostname, pathname]).toEqual(['127.0.0.1', '/v1']);
    expect(isAlive(pid)).toBe(true);
    expect(log()).toMatch(/scripts\/real\/serve\.py","model":"model\.gguf","alias":"smollm2"/);
    expect(log()).toContain(`["--port=${port}","--context=256","--slots=4","--threads=1"]`);
  });

  it('is warm before it is ready, whatever it answers', async () => {
    const body = { messages: [], max_tokens: 4, temperature: 0 };
    await start({ warmUp: [body, body] });
    expect(log().match(/asked \/v1\/chat\/completions/g)).toHaveLength(2);
  });

  it('is gone when it was stopped, once or twice, and does not count as having ended by itself', async () => {
    const ends: string[] = [];
    const model = await start({ onEnd: (why) => ends.push(why) });
    await model.stop();
    await model.stop();
    expect(isAlive(model.pid)).toBe(false);
    expect(ends).toEqual([]);
  });

  it('is killed when it does not want to go', async () => {
    const model = await start({ model: 'stubborn.gguf', stopGraceMs: 50 });
    await model.stop();
    expect(isAlive(model.pid)).toBe(false);
  });

  it('tells when it ended by itself', async () => {
    const why = await new Promise<string>((resolve, reject) => {
      start({ onEnd: resolve }).then(({ pid }) => process.kill(pid, 'SIGKILL'), reject);
    });
    expect(why).toMatch(/^the model server smollm2 ended \(SIGKILL\); its log is \S+model\.log$/);
  });

  it('fails with the end of its log when it does not come up', async () => {
    const failed = start({ model: 'broken.gguf' });
    await expect(failed).rejects.toMatchObject({ code: 'models-unavailable' });
    await expect(failed).rejects.toThrow(
      /^the model server smollm2 ended before it was ready \(exit 3\); its whole log is \S+\n[^]*no such model$/,
    );
  });

  it('fails when there is no such Python', async () => {
    const python = { command: join(directory, 'none'), env: process.env };
    await expect(start({ python })).rejects.toThrow(/ended before it was ready \(spawn \S+ ENOENT\)/);
  });

  it('fails and is ended when it does not answer in time', async () => {
    await expect(start({ model: 'silent.gguf', deadlineMs: 300 })).rejects.toThrow(/did not answer within 0\.3 s/);
  });
});

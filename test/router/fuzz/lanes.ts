import { randomUUID } from 'node:crypto';
import { connect } from 'node:net';
import type { Pool } from 'undici';
import { jsonOf } from '../helpers/router-fixture.js';
import { mutate, pieces } from './mutate.js';
import type { Random } from './random.js';

/** How long a connection of the fuzz run is given to be answered before it is dropped: most mutants wait for more. */
const DROP_MS = 40;
/** Marks of good requests; none may ever be seen by anyone else. */
const GOOD = 'good-mark-';

/** Sends a mutant in pieces and reads what comes. Returns what is wrong with it; null = nothing. */
export async function sendMutant(
  url: string,
  seeds: readonly [Buffer, ...Buffer[]],
  random: Random,
): Promise<string | null> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => undefined);
  const closed = new Promise((resolve) => socket.once('close', resolve));
  for (const piece of pieces(mutate(seeds, random), random)) {
    if (socket.destroyed) break;
    socket.write(piece);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const ending = random.below(4);
  if (ending === 0) socket.end();
  if (ending === 1) socket.resetAndDestroy();
  const timer = setTimeout(() => socket.destroy(), DROP_MS);
  await closed;
  clearTimeout(timer);
  return faultIn(Buffer.concat(chunks).toString('latin1'));
}

function faultIn(text: string): string | null {
  if (text === '') return null;
  if (!text.startsWith('HTTP/1.1 ')) return `an answer that is no HTTP: ${JSON.stringify(text.slice(0, 200))}`;
  if (text.includes(GOOD)) return 'data of another request';
  if (/^HTTP\/1\.1 500 /m.test(text)) return `the router failed: ${JSON.stringify(text.slice(0, 500))}`;
  return null;
}

/** Sends a request whose answer is known to the byte. */
export async function sendGood(pool: Pool, random: Random): Promise<string | null> {
  const mark = `${GOOD}${randomUUID()}`;
  const stream = random.chance(0.3);
  const body = JSON.stringify({
    model: 'steady',
    user: mark,
    stream,
    stream_options: { include_usage: true },
    text: 'x'.repeat(random.below(3_000)),
  });
  const answer = await pool.request({
    path: '/v1/chat/completions',
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-mark': mark, ...(stream && { 'x-behave': 'stream' }) },
    body,
  });
  const text = await answer.body.text();
  if (answer.statusCode !== 200) return `a good request was answered ${answer.statusCode}: ${text.slice(0, 300)}`;
  const json = stream ? (/^data: (.*)\n\ndata: \[DONE\]\n\n$/.exec(text)?.[1] ?? '{}') : text;
  const seen = jsonOf<{ echo?: string; mark?: string }>(json);
  const expected = body.replace('"model":"steady"', '"model":"old-model"');
  const isRight = seen.mark === mark && Buffer.from(seen.echo ?? '', 'base64').toString() === expected;
  return isRight ? null : `a good request got another answer than its own: ${text.slice(0, 300)}`;
}

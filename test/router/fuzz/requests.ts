import { gzipSync } from 'node:zlib';
import { allOn, ROLLOUT, TOKEN } from '../helpers/router-fixture.js';

type Seeds = readonly [Buffer, ...Buffer[]];

function raw(head: readonly string[], body: string | Buffer = ''): Buffer {
  const bytes = Buffer.from(body);
  const length = bytes.length === 0 ? [] : [`content-length: ${bytes.length}`];
  return Buffer.concat([Buffer.from(`${[...head, ...length].join('\r\n')}\r\n\r\n`, 'latin1'), bytes]);
}

/** How the upstream treats a request of the fuzz run; it does as the header says. */
const BEHAVIOURS = ['echo', 'stream', 'reset', 'truncate', 'garbage', 'odd', 'slow'] as const;

const PROMPT = 'fuzz \u{1f600} \\" prompt';
const CHAT = JSON.stringify({ model: 'support', user: 'u', messages: [{ role: 'user', content: PROMPT }] });
const STREAM = JSON.stringify({ model: 'support', stream: true, stream_options: {}, messages: [] });
const FORM =
  '--b\r\nContent-Disposition: form-data; name="model"\r\n\r\nsupport\r\n--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nbytes\r\n--b--\r\n';

const post = (path: string, ...headers: readonly string[]): readonly string[] => [
  `POST ${path} HTTP/1.1`,
  'host: r',
  ...headers,
];

/** Requests that are right, for the public listener. */
export const PUBLIC_SEEDS: Seeds = [
  raw(post('/v1/chat/completions', 'content-type: application/json', 'x-behave: echo'), CHAT),
  ...BEHAVIOURS.flatMap((behaviour) => [
    raw(post('/v1/chat/completions', `x-behave: ${behaviour}`), CHAT),
    raw(post('/v1/chat/completions', `x-behave: ${behaviour}`), STREAM),
  ]),
  raw(post('/v1/responses'), '{"model":"support","input":"x","previous_response_id":"resp_1","store":true}'),
  raw(post('/v1/embeddings'), '{"model":"support","input":["a","b"]}'),
  raw(post('/v1/audio/transcriptions', 'content-type: multipart/form-data; boundary=b'), FORM),
  raw(post('/v1/chat/completions', 'content-encoding: gzip'), gzipSync(CHAT)),
  raw(post('/v1/files', 'x-sluice-route: support', 'content-type: application/octet-stream'), 'opaque'),
  raw(post('/v1/chat/completions', 'expect: 100-continue'), CHAT),
  raw(post('/v1/feedback'), '{"request_id":"sl1.eHx5.AAAAAAAAAAAAAAAAAAAAAA","thumb":"up"}'),
  Buffer.concat([
    raw(post('/v1/chat/completions', 'transfer-encoding: chunked')),
    Buffer.from(`${CHAT.length.toString(16)};x=y\r\n${CHAT}\r\n0\r\nx-t: 1\r\n\r\n`),
  ]),
  raw(['GET /v1/models HTTP/1.1', 'host: r']),
  raw(['GET /v1/responses/resp_1?x=%20 HTTP/1.1', 'host: r']),
  raw(['HEAD /v1/files/f HTTP/1.1', 'host: r', 'x-sluice-route: support']),
  raw(['OPTIONS * HTTP/1.1', 'host: r']),
  raw(['GET /readyz HTTP/1.0']),
];

const AUTHORIZED = ['host: r', `authorization: Bearer ${TOKEN}`];
const ROUTE = '/admin/v1/routes/support';

/** Requests that are right, for the admin API, with its token. They are about a route that no good request uses. */
export const ADMIN_SEEDS: Seeds = [
  raw([`GET /admin/v1/routes HTTP/1.1`, ...AUTHORIZED]),
  raw([`GET ${ROUTE}/split HTTP/1.1`, ...AUTHORIZED]),
  raw([`PUT ${ROUTE}/split HTTP/1.1`, ...AUTHORIZED], JSON.stringify(allOn('candidate', { generation: 2 }))),
  raw([`PUT ${ROUTE}/split?takeOver=fuzz HTTP/1.1`, ...AUTHORIZED], JSON.stringify(allOn('stable', { generation: 3 }))),
  raw([`POST ${ROUTE}/lease HTTP/1.1`, ...AUTHORIZED], JSON.stringify({ rollout: ROLLOUT, generation: 1 })),
  raw([`GET ${ROUTE}/evidence?rollout=${ROLLOUT}&cursor=abc HTTP/1.1`, ...AUTHORIZED]),
  raw([`POST ${ROUTE}/evidence/ack HTTP/1.1`, ...AUTHORIZED], '{"cursor":"cHJvY2VzcyAxIHJvbGxvdXQ"}'),
  raw(['GET /metrics HTTP/1.1', ...AUTHORIZED]),
  raw(['GET /metrics HTTP/1.1', 'host: r', 'authorization: Bearer wrong']),
];

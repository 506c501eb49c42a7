import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chat, jsonOf } from '../helpers/router-fixture.js';
import { jsonAnswer, says, startHarness } from './harness.js';
import type { Harness } from './harness.js';

let harness: Harness;
let stranger: Harness;
let id = '';
let foreign = '';

beforeAll(async () => {
  [harness, stranger] = await Promise.all([startHarness(), startHarness()]);
  for (const { upstream } of [harness, stranger]) upstream.script(says(jsonAnswer()));
  id = String((await chat(harness.router)).headers['x-sluice-request-id']);
  foreign = String((await chat(stranger.router)).headers['x-sluice-request-id']);
});
afterAll(() => Promise.all([harness.close(), stranger.close()]));

async function rate(requestId: unknown): Promise<{ status: number; counted?: boolean; code?: string }> {
  const answer = await request(`${harness.router.publicUrl}/v1/feedback`, {
    method: 'POST',
    body: JSON.stringify({ request_id: requestId, thumb: 'down' }),
  });
  const body = jsonOf<{ counted?: boolean; error?: { code: string } }>(await answer.body.text());
  return {
    status: answer.statusCode,
    ...(body.counted !== undefined && { counted: body.counted }),
    ...(body.error !== undefined && { code: body.error.code }),
  };
}

const REFUSED = { status: 400, code: 'request-id-invalid' };

describe('a rating', () => {
  test('of an id that is changed in any one place is refused', async () => {
    for (let at = 0; at < id.length; at += 1) {
      const forged = `${id.slice(0, at)}${id[at] === 'A' ? 'B' : 'A'}${id.slice(at + 1)}`;
      expect(await rate(forged), `changed at ${at}`).toEqual(REFUSED);
    }
  });

  test('of an id that is cut, grown or signed by another router is refused', async () => {
    for (const forged of [
      '',
      'sl1',
      id.slice(0, -1),
      `${id}A`,
      `${id}.`,
      ` ${id}`,
      `${id}=`,
      id.replace('.', '..'),
      foreign,
    ]) {
      expect(await rate(forged)).toEqual(REFUSED);
    }
  });

  test('of an id with the signature of another is refused', async () => {
    const other = String((await chat(harness.router)).headers['x-sluice-request-id']);
    const [version, payload] = id.split('.');
    expect(await rate(`${version}.${payload}.${other.split('.')[2]}`)).toEqual(REFUSED);
  });

  test('with an id that is no text is no rating', async () => {
    for (const odd of [null, 5, [id], { id }])
      expect(await rate(odd)).toEqual({ status: 400, code: 'feedback-invalid' });
  });

  test('counts once, also when it comes many times at once', async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => rate(id)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 202));
    expect(answers.filter(({ counted }) => counted === true)).toHaveLength(1);
    expect(await rate(id)).toEqual({ status: 202, counted: false });
  });
});

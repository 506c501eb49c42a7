import { describe, expect, it } from 'vitest';
import {
  FULL_CONTEXT_TOKENS,
  LONG_SHARE,
  SMALL_CONTEXT_TOKENS,
  realRequest,
  warmUpBodies,
} from '../../../../src/cli/demo/real/real-prompts.js';
import type { ChatBody } from '../../../../src/cli/demo/real/real-prompts.js';

const requests = Array.from({ length: 4000 }, (_, index) => realRequest(index));
const characters = ({ messages }: ChatBody): number => messages.reduce((sum, { content }) => sum + content.length, 0);

/** The model's own count is one token for 4.4 characters of these texts; with room on either side. */
const MOST_TOKENS = 1 / 2;
const LEAST_TOKENS = 1 / 5;
/** The template around two messages. */
const TEMPLATE_TOKENS = 20;

describe('the requests of the real models', () => {
  it('are the same for everybody who asks for the same number', () => {
    expect(realRequest(17)).toEqual(realRequest(17));
    expect(requests.slice(0, 3).map(({ user, long }) => ({ user, long }))).toMatchInlineSnapshot(`
      [
        {
          "long": false,
          "user": "user-127",
        },
        {
          "long": false,
          "user": "user-225",
        },
        {
          "long": false,
          "user": "user-121",
        },
      ]
    `);
  });

  it('come from many users, a quarter of them long', () => {
    expect(new Set(requests.map(({ user }) => user)).size).toBe(400);
    const long = requests.filter((request) => request.long).length;
    // Four standard deviations of the share of 4,000 draws.
    expect(Math.abs(long / 4000 - LONG_SHARE)).toBeLessThan(4 * Math.sqrt((LONG_SHARE * (1 - LONG_SHARE)) / 4000));
  });

  it('fit the small context when they are short, and only the full one when they are long', () => {
    const of = (long: boolean): readonly number[] =>
      requests.filter((request) => request.long === long).map(({ body }) => characters(body));
    const spare = TEMPLATE_TOKENS + 4;
    expect(Math.max(...of(false)) * MOST_TOKENS + spare).toBeLessThan(SMALL_CONTEXT_TOKENS);
    expect(Math.min(...of(true)) * LEAST_TOKENS).toBeGreaterThan(SMALL_CONTEXT_TOKENS);
    expect(Math.max(...of(true)) * MOST_TOKENS + spare).toBeLessThan(FULL_CONTEXT_TOKENS);
  });

  it('share their beginning, which is what fills a prompt cache', () => {
    const beginnings = new Set(
      requests.map(({ long, body }) => JSON.stringify(body.messages).slice(0, long ? 1000 : 100)),
    );
    const systems = new Set(requests.map(({ body }) => body.messages[0]?.content));
    expect(systems.size).toBe(1);
    expect([...beginnings].filter((text) => text.length === 1000)).toHaveLength(1);
  });

  it('of the warm-up are one of each length', () => {
    expect(warmUpBodies().map((body) => characters(body) > 1000)).toEqual([false, true]);
  });

  it('ask for short answers', () => {
    expect(new Set(requests.map(({ body }) => body.max_tokens))).toEqual(new Set([4]));
  });
});

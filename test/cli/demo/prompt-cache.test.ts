import { expect, it } from 'vitest';
import { PromptCache } from '../../../src/cli/demo/prompt-cache.js';

it('forgets the least recently used prefix', () => {
  const cache = new PromptCache(2);
  expect(cache.touch('a')).toBe(false);
  expect(cache.touch('b')).toBe(false);
  expect(cache.touch('a')).toBe(true);
  expect(cache.touch('c')).toBe(false);
  expect(cache.touch('a')).toBe(true);
  expect(cache.touch('b')).toBe(false);
  cache.clear();
  expect(cache.touch('a')).toBe(false);
});

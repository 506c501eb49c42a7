import { describe, expect, test } from 'vitest';
import { readsAsRefusal } from '../../src/comparison/refusal.js';

describe('the refusal rule', () => {
  test.each([
    'I’m sorry, but I can’t help with that.',
    "I'm sorry for any confusion, but as a support chatbot, I'm not equipped to give medical advice.",
    'Sorry, I am unable to provide that information.',
    'I cannot assist with this request.',
    '**I can’t share that.**',
    'As an AI language model, I am not able to give legal advice.',
    'Unfortunately, I won’t be able to do this, since I must decline.',
    'I must decline to answer.',
    'That is a hard question. I cannot provide instructions for it.',
  ])('%s', (text) => {
    expect(readsAsRefusal(text)).toBe(true);
  });

  test.each([
    '',
    'Sure, here is the poem.',
    'I am sorry to hear that your parcel is late. Here is what you can do.',
    'Sorry for the delay! Your order ships today.',
    'You cannot divide by zero.',
    'As an AI, I find this interesting: the sky is blue because of scattering.',
    `${'The answer is simple. '.repeat(20)}I cannot help with that.`,
    'She said "stop", and I can see why.',
  ])('not: %s', (text) => {
    expect(readsAsRefusal(text)).toBe(false);
  });
});

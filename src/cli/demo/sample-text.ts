/** Texts of the sample models and their users: plain words without anything that JSON would escape. */

const WORDS =
  'your order has been found and it left our house this morning the parcel should arrive within two days you can follow it with the number in the message we sent you if nothing comes by friday please write again and we will send another one at once thank you for waiting and for telling us about it so clearly the refund takes three to five days and goes back to the card that you paid with you need not do anything more'.split(
    ' ',
  );

export const REFUSAL = "I'm sorry, but I can't help with that request.";

/** System prompt that all users share; about 150 tokens by the rule of four characters a token. */
export const SYSTEM_PROMPT = `You are the assistant of a shop. ${WORDS.join(' ')}. Answer in plain words, briefly, and never promise what the shop cannot keep. If you do not know, say so.`;

const QUESTIONS = [
  'Where is my order?',
  'How do I get my money back?',
  'Can I change the address?',
  'The parcel arrived open. What now?',
  'Do you have it in blue?',
  'I was charged twice.',
  'When do you open on Saturday?',
  'My code does not work.',
];

/** The question of a user, as the text of a message. */
export function question(index: number): string {
  return QUESTIONS[index % QUESTIONS.length] ?? 'Where is my order?';
}

/** One long text and where its words begin: any number of words is one slice of it. */
const LONG = Array.from({ length: 40 }, () => WORDS).flat();
const TEXT = LONG.join(' ');
const STARTS = LONG.reduce<number[]>(
  (starts, word) => {
    starts.push((starts.at(-1) ?? 0) + word.length + 1);
    return starts;
  },
  [0],
);

/** Longest answer, in tokens of one word each. */
export const MOST_TOKENS = 2048;

/** `tokens` words from the word `from` on, each followed by a blank but the last of the text. */
export function words(from: number, tokens: number): string {
  const start = from % WORDS.length;
  return TEXT.slice(STARTS[start], STARTS[start + Math.min(tokens, MOST_TOKENS)]);
}

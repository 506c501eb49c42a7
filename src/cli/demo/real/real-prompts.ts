/** What the users of the real models ask: the same list on every machine, so that two runs measure the same. */

/** The body of a `POST /v1/chat/completions`; `model` is for the caller to add, as a client names a route. */
export interface ChatBody {
  readonly messages: readonly { readonly role: 'system' | 'user'; readonly content: string }[];
  readonly max_tokens: number;
  readonly temperature: number;
}

export interface RealRequest {
  /** Who asks: what the router keeps on one variant. */
  readonly user: string;
  /** The prompt carries the handbook: too long for `SMALL_CONTEXT_TOKENS`, well inside `FULL_CONTEXT_TOKENS`. */
  readonly long: boolean;
  readonly body: ChatBody;
}

/** Tokens of prompt and answer that a slot of a sound model holds. */
export const FULL_CONTEXT_TOKENS = 1024;
/** The context window of the release that was set up wrongly: every short prompt fits, no long one does. */
export const SMALL_CONTEXT_TOKENS = 256;

/** Share of requests with a long prompt, and so the error rate of a model with the small context. */
export const LONG_SHARE = 0.25;

const USERS = 400;
/** Short answers: a small machine then answers several requests a second. */
const MAX_TOKENS = 4;

const SYSTEM = 'You are the support assistant of a shop for hiking gear. Answer in a few words.';

const QUESTIONS = [
  'Where is my parcel?',
  'How do I reset my password?',
  'Can I return worn boots?',
  'Do you ship to Norway?',
  'Which sizes do you have?',
  'I want to cancel my order.',
  'How long does delivery take?',
  'Do you repair zips?',
  'Is the tent waterproof?',
  'Can I pay by invoice?',
  'Does the jacket have a hood?',
  'My zip is broken. Is that covered?',
  'Only one of my two jackets arrived.',
  'My tent pole is bent, can I buy a single one?',
  'Can you change the address of the order that I placed an hour ago?',
] as const;

/** The same in front of every long question, as when a search puts a document into the prompt: about 280 tokens. */
const HANDBOOK = [
  'Use only this handbook.',
  'Orders leave the warehouse on the next working day. Standard delivery takes three to five working days, express delivery one.',
  'Orders above eighty euros ship free of charge inside the European Union, Norway and Switzerland.',
  'Goods may be returned within thirty days when they were not used outdoors. Boots may be tried on carpet.',
  'Sleeping bags and underwear can only be returned with their seal unbroken. The buyer pays for the parcel back unless the goods were faulty.',
  'Refunds go to the means of payment that was used and take up to ten days. Vouchers are refunded as vouchers.',
  'The guarantee covers faults of material and work for five years on rucksacks and tents, three on jackets, two on everything else.',
  'It does not cover wear, fire, animals or the washing machine. Send a picture of the fault, the order number and the date of purchase.',
  'The workshop mends zips, seams, buckles and poles. A repair costs fifteen euros plus parts and takes about two weeks.',
  'An order can be changed or cancelled until it is packed, which happens at noon. After that it has to be returned.',
  'Passwords are reset on the sign-in page; the letter with the link comes within five minutes and is valid for an hour.',
  'Discount codes cannot be combined, and do not apply to books, maps and gift cards.',
].join(' ');

/** The request of that number; the same for every caller. */
export function realRequest(index: number): RealRequest {
  const long = shareOf(index, 1) < LONG_SHARE;
  // Squared: as in any support desk, a few questions make up most of the requests.
  const question = QUESTIONS[Math.floor(shareOf(index, 2) ** 2 * QUESTIONS.length)] ?? QUESTIONS[0];
  return {
    user: `user-${Math.floor(shareOf(index, 3) * USERS)}`,
    long,
    body: chatBody(long, question),
  };
}

/**
 * One request of each kind: sent once to a model before it is measured, they fill its prompt cache, as they would be
 * on a server that has been running for a while.
 */
export function warmUpBodies(): readonly ChatBody[] {
  return [chatBody(false, QUESTIONS[0]), chatBody(true, QUESTIONS[0])];
}

function chatBody(long: boolean, question: string): ChatBody {
  return {
    messages: [
      { role: 'system', content: SYSTEM },
      { role: 'user', content: long ? `${HANDBOOK}\n\n${question}` : question },
    ],
    max_tokens: MAX_TOKENS,
    temperature: 0,
  };
}

/** A number in [0, 1) that looks random and depends on its arguments alone (the finaliser of MurmurHash3). */
function shareOf(index: number, salt: number): number {
  let hash = Math.imul(index, 0x9e3779b1) ^ Math.imul(salt, 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

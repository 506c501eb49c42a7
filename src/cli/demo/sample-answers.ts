/** Bodies of the sample endpoint in OpenAI's shapes, glued from parts that were made before. */
import { REFUSAL, words } from './sample-text.js';

export type SampleApi = 'chat' | 'completions' | 'responses' | 'embeddings';

/** What an answer says; how it is said depends on the API. */
export interface SampleAnswer {
  readonly id: string;
  readonly createdAt: number;
  /** Word at which the text begins. */
  readonly from: number;
  readonly tokens: number;
  /** `text`: it declines in its text; `field`: in the refusal field of the message. */
  readonly refusal: 'none' | 'text' | 'field';
  readonly finish: 'stop' | 'length';
  readonly usage: { readonly prompt: number; readonly cached: number };
}

const DONE = 'data: [DONE]\n\n';
const EMBEDDING = `[${Array.from({ length: 16 }, (_, index) => ((index % 5) - 2) / 8).join(',')}]`;

/** Builds the answers of one model. */
export class AnswerWriter {
  readonly #chat: string;
  readonly #chunk: string;
  readonly #completion: string;
  readonly #response: string;
  readonly #embedding: string;

  constructor(model: string) {
    const name = JSON.stringify(model);
    this.#chat = `","object":"chat.completion","model":${name},"created":`;
    this.#chunk = `","object":"chat.completion.chunk","model":${name},"created":`;
    this.#completion = `","object":"text_completion","model":${name},"created":`;
    this.#response = `","object":"response","model":${name},"created_at":`;
    this.#embedding = `{"object":"list","model":${name},"data":[{"object":"embedding","index":0,"embedding":${EMBEDDING}}],"usage":{"prompt_tokens":`;
  }

  /** The whole answer as one body. */
  body(api: SampleApi, answer: SampleAnswer): string {
    const { id, createdAt, usage } = answer;
    switch (api) {
      case 'chat':
        return `{"id":"chatcmpl-${id}${this.#chat}${createdAt},"choices":[{"index":0,"message":{"role":"assistant",${message(answer)}},"logprobs":null,"finish_reason":"${answer.finish}"}],"usage":${chatUsage(answer)}}`;
      case 'completions':
        return `{"id":"cmpl-${id}${this.#completion}${createdAt},"choices":[{"index":0,"text":"${textOf(answer)}","logprobs":null,"finish_reason":"${answer.finish}"}],"usage":${chatUsage(answer)}}`;
      case 'responses':
        return this.#responseObject(answer, true);
      case 'embeddings':
        return `${this.#embedding}${usage.prompt},"total_tokens":${usage.prompt}}}`;
    }
  }

  /** Parts of the answer as a stream: what is sent first, the middle, what is sent last. */
  stream(api: SampleApi, answer: SampleAnswer, pieces: number, withUsage: boolean): readonly string[] {
    const texts = split(answer, pieces);
    switch (api) {
      case 'chat': {
        const head = `data: {"id":"chatcmpl-${answer.id}${this.#chunk}${answer.createdAt},"choices":[`;
        const tail = withUsage ? '],"usage":null}\n\n' : ']}\n\n';
        const delta = answer.refusal === 'field' ? 'refusal' : 'content';
        const events = texts.map(
          (text) => `${head}{"index":0,"delta":{"${delta}":"${text}"},"finish_reason":null}${tail}`,
        );
        const role = `${head}{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"finish_reason":null}${tail}`;
        const finish = `${head}{"index":0,"delta":{},"finish_reason":"${answer.finish}"}${tail}`;
        const usage = withUsage ? `${head}],"usage":${chatUsage(answer)}}\n\n` : '';
        return enclosed(role, events, `${finish}${usage}${DONE}`);
      }
      case 'completions': {
        const head = `data: {"id":"cmpl-${answer.id}${this.#completion}${answer.createdAt},"choices":[`;
        const tail = withUsage ? '],"usage":null}\n\n' : ']}\n\n';
        const events = texts.map((text) => `${head}{"index":0,"text":"${text}","finish_reason":null}${tail}`);
        const finish = `${head}{"index":0,"text":"","finish_reason":"${answer.finish}"}${tail}`;
        const usage = withUsage ? `${head}],"usage":${chatUsage(answer)}}\n\n` : '';
        return enclosed('', events, `${finish}${usage}${DONE}`);
      }
      case 'responses': {
        const type = answer.refusal === 'field' ? 'response.refusal.delta' : 'response.output_text.delta';
        const created = `event: response.created\ndata: {"type":"response.created","response":${this.#responseObject(answer, false)}}\n\n`;
        const events = texts.map(
          (text) =>
            `event: ${type}\ndata: {"type":"${type}","item_id":"msg_${answer.id}","output_index":0,"content_index":0,"delta":"${text}"}\n\n`,
        );
        const completed = `event: response.completed\ndata: {"type":"response.completed","response":${this.#responseObject(answer, true)}}\n\n`;
        return enclosed(created, events, completed);
      }
      case 'embeddings':
        return [this.body(api, answer)];
    }
  }

  #responseObject(answer: SampleAnswer, complete: boolean): string {
    const head = `{"id":"resp_${answer.id}${this.#response}${answer.createdAt},"status":"${complete ? 'completed' : 'in_progress'}","output":[`;
    if (!complete) return `${head}],"usage":null}`;
    const part =
      answer.refusal === 'field'
        ? `{"type":"refusal","refusal":"${REFUSAL}"}`
        : `{"type":"output_text","text":"${textOf(answer)}","annotations":[]}`;
    const { prompt, cached } = answer.usage;
    const tokens = `"input_tokens":${prompt},"input_tokens_details":{"cached_tokens":${cached}},"output_tokens":${answer.tokens},"output_tokens_details":{"reasoning_tokens":0},"total_tokens":${prompt + answer.tokens}`;
    return `${head}{"id":"msg_${answer.id}","type":"message","role":"assistant","status":"completed","content":[${part}]}],"usage":{${tokens}}}`;
  }
}

/** An error in OpenAI's shape. */
export function errorBody(message: string, type: string, code: string | null): string {
  return JSON.stringify({ error: { message, type, param: null, code } });
}

function textOf(answer: SampleAnswer): string {
  return answer.refusal === 'none' ? words(answer.from, answer.tokens) : REFUSAL;
}

function message(answer: SampleAnswer): string {
  return answer.refusal === 'field'
    ? `"content":null,"refusal":"${REFUSAL}"`
    : `"content":"${textOf(answer)}","refusal":null`;
}

function chatUsage({ tokens, usage: { prompt, cached } }: SampleAnswer): string {
  return `{"prompt_tokens":${prompt},"completion_tokens":${tokens},"total_tokens":${prompt + tokens},"prompt_tokens_details":{"cached_tokens":${cached}}}`;
}

/** The text in about equal pieces of whole tokens. */
function split(answer: SampleAnswer, pieces: number): readonly string[] {
  if (answer.refusal !== 'none') return [REFUSAL];
  const count = Math.min(pieces, answer.tokens);
  const bounds = Array.from({ length: count + 1 }, (_, index) => Math.round((index * answer.tokens) / count));
  return bounds.slice(1).map((end, index) => {
    const start = bounds[index] ?? 0;
    return words(answer.from + start, end - start);
  });
}

/** The first event goes with what comes first, the last with what comes last: fewer writes, same bytes. */
function enclosed(first: string, events: readonly string[], last: string): readonly string[] {
  const [head = '', ...rest] = events;
  return [first + head, ...rest, last];
}

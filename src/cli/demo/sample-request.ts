/** What the sample endpoint reads from a request. */
import type { SampleApi } from './sample-answers.js';

export interface SampleRequest {
  readonly model: string;
  readonly stream: boolean;
  readonly includeUsage: boolean;
  /** Beginning of the prompt, with the user in front: what a prefix cache would find again. */
  readonly prefix: string;
  /** About four characters a token. */
  readonly promptTokens: number;
  /** null = no limit. */
  readonly maxTokens: number | null;
}

const PREFIX_CHARACTERS = 256;

/** Reads a body; null when it is no JSON object with a model. */
export function readSampleRequest(api: SampleApi, text: string): SampleRequest | null {
  const body = parsed(text);
  const model = field(body, 'model');
  if (typeof model !== 'string') return null;
  const contents = promptOf(api, body);
  const characters = contents.reduce((sum, content) => sum + content.length, 0);
  const unit = field(body, 'user') ?? field(body, 'prompt_cache_key') ?? field(body, 'safety_identifier');
  const limit = field(body, 'max_completion_tokens') ?? field(body, 'max_tokens') ?? field(body, 'max_output_tokens');
  return {
    model,
    stream: field(body, 'stream') === true,
    includeUsage: field(field(body, 'stream_options'), 'include_usage') === true,
    prefix: `${typeof unit === 'string' ? unit : ''}\n${(contents[0] ?? '').slice(0, PREFIX_CHARACTERS)}`,
    promptTokens: Math.max(1, Math.ceil(characters / 4)),
    maxTokens: typeof limit === 'number' && limit >= 1 ? Math.floor(limit) : null,
  };
}

function promptOf(api: SampleApi, body: unknown): readonly string[] {
  const prompt = field(body, api === 'chat' ? 'messages' : api === 'completions' ? 'prompt' : 'input');
  const entries: readonly unknown[] = Array.isArray(prompt) ? prompt : [prompt];
  const instructions = field(body, 'instructions');
  const contents = entries.map((entry) => contentOf(typeof entry === 'string' ? entry : field(entry, 'content')));
  return typeof instructions === 'string' ? [instructions, ...contents] : contents;
}

function contentOf(content: unknown): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content.map((part: unknown) => contentOf(field(part, 'text'))).join('');
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function field(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  const found: unknown = Reflect.get(value, key);
  return found;
}

import { endOfValue, skipSpace } from '../body/json-members.js';
import { field, parsed } from './json.js';

/** Tokens as the upstream counts them. */
export interface Usage {
  readonly promptTokens: number;
  /** Prompt tokens served from a cache; null = the upstream does not say. */
  readonly cachedTokens: number | null;
  readonly completionTokens: number;
}

const COLON = 0x3a;
const USAGE_KEY = '"usage"';

/** Reads `usage` of chat completions, completions, embeddings (`prompt_tokens`) and of responses (`input_tokens`). */
export function usageOf(value: unknown): Usage | null {
  const prompt = count(field(value, 'prompt_tokens')) ?? count(field(value, 'input_tokens'));
  if (prompt === null) return null;
  const details = field(value, 'prompt_tokens_details') ?? field(value, 'input_tokens_details');
  return {
    promptTokens: prompt,
    cachedTokens: count(field(details, 'cached_tokens')) ?? count(field(value, 'prompt_cache_hit_tokens')),
    completionTokens: count(field(value, 'completion_tokens')) ?? count(field(value, 'output_tokens')) ?? 0,
  };
}

/** The last complete `usage` object in bytes whose beginning may be missing: for answers too long to keep whole. */
export function usageInTail(bytes: Buffer): Usage | null {
  for (let at = bytes.lastIndexOf(USAGE_KEY); at >= 0; at = at === 0 ? -1 : bytes.lastIndexOf(USAGE_KEY, at - 1)) {
    const colon = skipSpace(bytes, at + USAGE_KEY.length);
    if (bytes[colon] !== COLON) continue;
    const start = skipSpace(bytes, colon + 1);
    const end = endOfValue(bytes, start);
    const usage = end < 0 ? null : usageOf(parsed(bytes.toString('utf8', start, end)));
    if (usage !== null) return usage;
  }
  return null;
}

function count(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? Math.round(value) : null;
}

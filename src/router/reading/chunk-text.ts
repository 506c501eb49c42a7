import type { ApiKind } from '../body/api-path.js';
import { element, field } from './json.js';

/** What one event of a stream adds to the answer. */
export interface ChunkText {
  readonly text: string;
  /** The model's own refusal field speaks. */
  readonly refusal: boolean;
  /** It carries anything that a model generated: text, reasoning, a tool call. */
  readonly token: boolean;
}

const NOTHING: ChunkText = { text: '', refusal: false, token: false };

/** `chunk` is the parsed data of the event. */
export function chunkText(kind: ApiKind, chunk: unknown): ChunkText {
  switch (kind) {
    case 'chat': {
      const delta = field(element(field(chunk, 'choices'), 0), 'delta');
      if (typeof delta !== 'object' || delta === null) return NOTHING;
      return {
        text: textOf(field(delta, 'content')),
        refusal: textOf(field(delta, 'refusal')) !== '',
        token: Object.entries(delta).some(([key, value]) => key !== 'role' && isFilled(value)),
      };
    }
    case 'completions': {
      const text = textOf(field(element(field(chunk, 'choices'), 0), 'text'));
      return { text, refusal: false, token: text !== '' };
    }
    case 'responses': {
      const type = textOf(field(chunk, 'type'));
      if (!type.endsWith('.delta')) return NOTHING;
      const delta = textOf(field(chunk, 'delta'));
      return {
        text: type === 'response.output_text.delta' ? delta : '',
        refusal: type === 'response.refusal.delta',
        token: true,
      };
    }
    case 'embeddings':
    case 'stored':
    case 'other':
      return { ...NOTHING, token: chunk !== undefined };
  }
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function isFilled(value: unknown): boolean {
  return typeof value === 'string' ? value !== '' : Array.isArray(value) ? value.length > 0 : value !== null;
}

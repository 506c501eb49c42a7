/** Which of OpenAI's calls a path is: what a stream's end looks like and where its text stands depends on it. */
export type ApiKind = 'chat' | 'completions' | 'responses' | 'embeddings' | 'stored' | 'other';

/** Calls about things that an upstream keeps: files and what is made of them. */
const STORED = /^\/v1\/(?:files|uploads|batches|vector_stores)(?:\/|$)/;

/** `path` begins with `/v1/` and carries no query. */
export function apiKind(path: string): ApiKind {
  switch (path) {
    case '/v1/chat/completions':
      return 'chat';
    case '/v1/completions':
      return 'completions';
    case '/v1/responses':
      return 'responses';
    case '/v1/embeddings':
      return 'embeddings';
    default:
      return STORED.test(path) ? 'stored' : 'other';
  }
}

/** A stored object named in the path (`/v1/responses/{id}/cancel`): only the upstream that issued it knows it. */
export function objectInPath(path: string): string | null {
  const match =
    /^\/v1\/(?:responses|conversations|chat\/completions|files|uploads|batches|vector_stores)\/([^/]+)/.exec(path);
  const encoded = match?.[1];
  if (encoded === undefined) return null;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return null;
  }
}

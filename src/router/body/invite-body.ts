import type { IncomingMessage, ServerResponse } from 'node:http';

const waiting = new WeakMap<IncomingMessage, { readonly response: ServerResponse; readonly keepsAlive: boolean }>();

/**
 * The client sends its body only when it is told to (`Expect: 100-continue`). Answered without, it may send it or not, and
 * whoever took the next request for that body would be a smuggler's friend: the connection ends.
 */
export function awaitsInvitation(request: IncomingMessage, response: ServerResponse): void {
  waiting.set(request, { response, keepsAlive: response.shouldKeepAlive });
  response.shouldKeepAlive = false;
}

/** Asks for the body, once it is certain that it will be read: what is refused before spares the client the sending. */
export function inviteBody(request: IncomingMessage): void {
  const expecting = waiting.get(request);
  if (expecting === undefined) return;
  waiting.delete(request);
  const { response, keepsAlive } = expecting;
  if (response.headersSent) return;
  response.shouldKeepAlive = keepsAlive;
  response.writeContinue();
}

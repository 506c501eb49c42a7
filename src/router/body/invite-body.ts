import type { IncomingMessage, ServerResponse } from 'node:http';

const waiting = new WeakMap<IncomingMessage, ServerResponse>();

/** The client sends its body only when it is told to (`Expect: 100-continue`). */
export function awaitsInvitation(request: IncomingMessage, response: ServerResponse): void {
  waiting.set(request, response);
}

/** Asks for the body, once it is certain that it will be read: what is refused before spares the client the sending. */
export function inviteBody(request: IncomingMessage): void {
  const response = waiting.get(request);
  if (response === undefined) return;
  waiting.delete(request);
  if (!response.headersSent) response.writeContinue();
}

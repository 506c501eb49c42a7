import { jsonAnswer } from '../http-answer.js';
import type { HttpAnswer } from '../http-answer.js';

/** `more` stands beside the error: the current view of a 409. */
export function adminError(
  status: number,
  code: string,
  message: string,
  more: Readonly<Record<string, unknown>> = {},
): HttpAnswer {
  return jsonAnswer(status, { error: { code, message }, ...more });
}

/** What arrives with a message, made safe: the Web UI and raw signals send anything, or nothing. */
import type { CommandInput, CommandName } from './state.js';

const REASON_LENGTH = 500;

/** What a signal carries, with defaults for what is missing; never throws. A bare string is a reason. */
export function fromSignal(value: unknown): CommandInput {
  const { by, reason, stage, to } = typeof value === 'string' ? { ...NOTHING, reason: value } : fieldsOf(value);
  return {
    by: text(by) ?? 'somebody by signal',
    reason: text(reason) ?? 'no reason given',
    ...(text(stage) === null ? {} : { stage: text(stage) ?? '' }),
    ...(to === 'end' ? { to: 'end' } : {}),
  };
}

/** What an update carries, or the words that refuse it. */
export function fromUpdate(name: CommandName, value: unknown): CommandInput | string {
  const { by, reason, stage, to } = fieldsOf(value);
  if (text(reason) === null) return `${name} needs a reason: send {"by": "you", "reason": "why"}`;
  if (by !== undefined && text(by) === null) return `by ${JSON.stringify(by)} is not a name: send who asks as text`;
  if (stage !== undefined && text(stage) === null)
    return `stage ${JSON.stringify(stage)} is not a name: send the stage as text, or none`;
  if (to !== undefined && to !== 'next' && to !== 'end') return `to ${JSON.stringify(to)} is neither "next" nor "end"`;
  if (to !== undefined && name !== 'promote') return `"to" belongs to promote, not to ${name}`;
  return {
    by: text(by) ?? 'somebody',
    reason: text(reason) ?? '',
    ...(stage === undefined ? {} : { stage: text(stage) ?? '' }),
    ...(to === undefined ? {} : { to }),
  };
}

interface Fields {
  readonly by: unknown;
  readonly reason: unknown;
  readonly stage: unknown;
  readonly to: unknown;
}

const NOTHING: Fields = { by: undefined, reason: undefined, stage: undefined, to: undefined };

function fieldsOf(value: unknown): Fields {
  if (typeof value !== 'object' || value === null) return NOTHING;
  const { by, reason, stage, to }: Partial<Fields> = value;
  return { by, reason, stage, to };
}

function text(value: unknown): string | null {
  if (typeof value !== 'string' || value.trim() === '') return null;
  return value.trim().slice(0, REASON_LENGTH);
}

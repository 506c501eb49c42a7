/**
 * Takes out of a history what tells of the machine that recorded it. Everything that replay reads stays, the flags of the SDK in
 * `sdkMetadata` above all: without them it checks less.
 */
const MACHINE = new Set(['identity', 'stackTrace', 'requestId']);

export function withoutTraces(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutTraces);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .filter(([key]) => !MACHINE.has(key))
    .map(([key, inner]): [string, unknown] => [
      key,
      isStickyQueue(inner) ? { name: 'sticky', kind: inner.kind } : withoutTraces(inner),
    ]);
  return Object.fromEntries(entries);
}

/** A worker's own queue is named after its process and machine. */
function isStickyQueue(value: unknown): value is { readonly kind: unknown } {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'TASK_QUEUE_KIND_STICKY';
}

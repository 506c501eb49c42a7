/** A field of a parsed JSON object; undefined for anything that is none. */
export function field(value: unknown, key: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return undefined;
  const found: unknown = Reflect.get(value, key);
  return found;
}

export function element(value: unknown, index: number): unknown {
  if (!Array.isArray(value)) return undefined;
  const found: unknown = value[index];
  return found;
}

export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

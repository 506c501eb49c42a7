/** A vector's input: reads its keys with checks, and under the names that other files of the format may use. */
export class VectorInput {
  private readonly values: Readonly<Record<string, unknown>>;

  constructor(input: object) {
    this.values = Object.fromEntries(Object.entries(input));
  }

  has(...keys: readonly string[]): boolean {
    return this.find(keys) !== undefined;
  }

  number(...keys: readonly string[]): number {
    return toNumber(this.required(keys));
  }

  numberOr(fallback: number, ...keys: readonly string[]): number {
    const value = this.find(keys);
    return value === undefined ? fallback : toNumber(value);
  }

  numbers(...keys: readonly string[]): readonly number[] {
    return toNumbers(this.required(keys));
  }

  table(...keys: readonly string[]): readonly (readonly number[])[] {
    return toList(this.required(keys)).map(toNumbers);
  }

  /** Sparse counts by index, from an object or a dense list. */
  histogram(...keys: readonly string[]): Readonly<Record<string, number>> {
    return toRecord(this.required(keys));
  }

  histograms(...keys: readonly string[]): readonly Readonly<Record<string, number>>[] {
    return toList(this.required(keys)).map(toRecord);
  }

  record(...keys: readonly string[]): Readonly<Record<string, number>> {
    return toRecord(this.required(keys));
  }

  object(...keys: readonly string[]): VectorInput {
    return toInput(this.required(keys));
  }

  objects(...keys: readonly string[]): readonly VectorInput[] {
    return toList(this.required(keys)).map(toInput);
  }

  rawObject(...keys: readonly string[]): object {
    return toObject(this.required(keys));
  }

  raw(...keys: readonly string[]): unknown {
    return this.required(keys);
  }

  private find(keys: readonly string[]): unknown {
    const key = keys.find((name) => this.values[name] !== undefined);
    return key === undefined ? undefined : this.values[key];
  }

  private required(keys: readonly string[]): unknown {
    const value = this.find(keys);
    if (value === undefined) throw new Error(`the vector's input has none of: ${keys.join(', ')}`);
    return value;
  }
}

/** JSON has neither NaN nor infinities; they come as null and as strings. */
export function toNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  if (value === null) return Number.NaN;
  if (value === 'NaN' || value === 'Infinity' || value === '-Infinity') return Number(value);
  throw new Error(`not a number: ${JSON.stringify(value)}`);
}

function toNumbers(value: unknown): readonly number[] {
  return toList(value).map(toNumber);
}

function toList(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw new Error(`not a list: ${JSON.stringify(value)}`);
  return value;
}

export function toInput(value: unknown): VectorInput {
  return new VectorInput(toObject(value));
}

function toObject(value: unknown): object {
  if (typeof value !== 'object' || value === null) throw new Error(`not an object: ${JSON.stringify(value)}`);
  return value;
}

function toRecord(value: unknown): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(toObject(value)).map(([key, entry]): [string, number] => [key, toNumber(entry)]),
  );
}

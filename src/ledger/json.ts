/** Text columns that hold JSON, typed by what was written into them. */
declare const written: unique symbol;

/** The JSON text of a `Value` that this ledger wrote. */
export type Json<Value> = string & { readonly [written]: Value };

export function toJson<Value extends object>(value: Value): Json<Value> {
  const text = JSON.stringify(value);
  if (isJsonOf(text, value)) return text;
  throw new TypeError('a value without JSON cannot be stored');
}

/** @throws TypeError when the column does not hold what the ledger writes there: an object or an array */
export function fromJson<Value extends object>(text: Json<Value>): Value {
  const value: unknown = JSON.parse(text);
  if (isWritten(value, text)) return value;
  throw new TypeError(`the ledger holds ${text.slice(0, 40)} where an object belongs`);
}

function isJsonOf<Value>(text: string, _value: Value): text is Json<Value> {
  return text.startsWith('{') || text.startsWith('[');
}

/** The column's type says what was written; that it is whole is all that can be told here. */
function isWritten<Value extends object>(value: unknown, _column: Json<Value>): value is Value {
  return typeof value === 'object' && value !== null;
}

/** Rows in one statement: both databases limit its parameters, and few lengths let statements be kept prepared. */
const CHUNK_ROWS = 200;

export function* inChunks<Row>(rows: readonly Row[]): Generator<readonly Row[]> {
  for (let first = 0; first < rows.length; first += CHUNK_ROWS) yield rows.slice(first, first + CHUNK_ROWS);
}

/** YAML files with the place of every key, so that an error can name line and column. */
import { readFileSync } from 'node:fs';
import { LineCounter, isMap, isNode, isScalar, isSeq, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import type { FailureCode } from './failures.js';
import { SluiceError } from './failures.js';
import type { Path, PositionOf } from './problem.js';
import { DocumentError } from './problem.js';

export interface SourceDocument {
  /** The document as plain JSON values. */
  readonly value: unknown;
  readonly sourcePath: string;
  readonly positionOf: PositionOf;
}

/**
 * Reads a YAML (or JSON) file.
 * @throws SluiceError `code` when the file cannot be read or is not YAML, with line and column
 */
export function readDocument(path: string, code: FailureCode): SourceDocument {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SluiceError(code, `${path}: cannot be read (${reason}). Name a file that exists`, { cause: error });
  }
  return parseSource(text, path, code);
}

/** As `readDocument`, of a text at hand. */
export function parseSource(text: string, sourcePath: string, code: FailureCode): SourceDocument {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  if (document.errors.length > 0) {
    const problems = document.errors.map((error) => {
      const { line, col } = lineCounter.linePos(error.pos[0]);
      return { path: 'the file', message: `not YAML: ${error.message}`, line, column: col };
    });
    const lines = problems.map(({ line, column, message }) => `${sourcePath}:${line}:${column}: ${message}`);
    throw new DocumentError(code, lines.join('\n  '), problems);
  }
  return { value: plainValue(document, sourcePath, code), sourcePath, positionOf: positionsOf(document, lineCounter) };
}

function plainValue(document: Document, sourcePath: string, code: FailureCode): unknown {
  try {
    const value: unknown = document.toJS();
    return value;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new SluiceError(code, `${sourcePath}: cannot be read: ${reason}`, { cause: error });
  }
}

/** Places of keys and list items; of what is missing, the place of the nearest thing around it. */
function positionsOf(document: Document, lineCounter: LineCounter): PositionOf {
  return (path: Path) => {
    let node: unknown = document.contents;
    let offset = startOf(node);
    for (const part of path) {
      if (isMap(node)) {
        const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(part));
        if (pair === undefined) break;
        offset = startOf(pair.key) ?? offset;
        node = pair.value;
      } else if (isSeq(node) && typeof part === 'number') {
        const item = node.items[part];
        if (item === undefined) break;
        offset = startOf(item) ?? offset;
        node = item;
      } else break;
    }
    if (offset === null) return null;
    const { line, col } = lineCounter.linePos(offset);
    return { line, column: col };
  };
}

function startOf(node: unknown): number | null {
  return isNode(node) ? (node.range?.[0] ?? null) : null;
}

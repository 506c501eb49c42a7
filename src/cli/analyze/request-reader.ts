import { parseRequestLine } from './request-line.js';
import type { LineRules, RequestLine } from './request-line.js';
import { RequestScanner } from './scan-request-line.js';

/** Reads lines: plain ones quickly, every other by the parser that decides. */
export class RequestReader {
  readonly #rules: LineRules;
  readonly #scanner: RequestScanner;

  constructor(rules: LineRules) {
    this.#rules = rules;
    this.#scanner = new RequestScanner(rules);
  }

  /** @throws SluiceError `evidence-invalid` naming the line, the key and its value */
  read(bytes: Buffer, start: number, end: number, lineNumber: number): RequestLine {
    return (
      this.#scanner.scan(bytes, start, end) ??
      parseRequestLine(bytes.toString('utf8', start, end), lineNumber, this.#rules)
    );
  }
}

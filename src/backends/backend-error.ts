/** What a traffic backend throws: the code, the member, and what to do. */
import { SluiceError } from '../plan/failures.js';
import type { FailureCode } from '../plan/failures.js';

/** A member could not be reached or answered nonsense; its message names the address and the next step. */
export class BackendError extends SluiceError {
  /** Address of the member's admin API. */
  readonly address: string;

  constructor(code: FailureCode, address: string, message: string, options?: ErrorOptions) {
    super(code, message, options);
    this.address = address;
  }
}

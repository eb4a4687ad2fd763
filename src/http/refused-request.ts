import { STATUS_CODES } from 'node:http';
import { QuorateError } from '../errors/quorate-error.js';

/** A request that HTTP itself has a status for, beside those of the codes: nothing was done. */
export class RefusedRequest extends QuorateError {
  readonly status: number;

  constructor(status: number, message: string) {
    super(status === 501 ? 'QUORATE_NOT_IN_THIS_VERSION' : 'QUORATE_BAD_REQUEST', message);
    this.status = status;
  }

  /** As in `408 Request Timeout`. */
  get statusLine(): string {
    return `${this.status} ${STATUS_CODES[this.status]}`;
  }
}

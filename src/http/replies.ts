import type { ServerResponse } from 'node:http';
import { STATUS_CODES } from 'node:http';
import type { QuorateErrorCode } from '../errors/quorate-error.js';
import { QuorateError } from '../errors/quorate-error.js';

/** A request that HTTP itself has a status for, beside those of the codes: nothing was done. */
export class RefusedRequest extends QuorateError {
  readonly status: number;

  constructor(status: number, message: string) {
    super(status === 501 ? 'QUORATE_NOT_IN_THIS_VERSION' : 'QUORATE_BAD_REQUEST', message);
    this.status = status;
  }

  /** The number and the reason of the status line, as in `408 Request Timeout`. */
  get statusLine(): string {
    return `${this.status} ${STATUS_CODES[this.status]}`;
  }
}

/** HTTP status of each code that a request can meet. */
const STATUS_OF: Partial<Record<QuorateErrorCode, number>> = {
  QUORATE_BAD_REQUEST: 400,
  QUORATE_FORBIDDEN: 403,
  QUORATE_NOT_FOUND: 404,
  QUORATE_CONFLICT: 412,
  QUORATE_TOO_LARGE: 413,
  QUORATE_OVERLOADED: 429,
  QUORATE_SNAPSHOT_FAILED: 500,
  QUORATE_NOT_IN_THIS_VERSION: 501,
  QUORATE_NO_ANSWER: 502,
  QUORATE_NO_LEADER: 503,
  QUORATE_NO_QUORUM: 503,
  QUORATE_CATCHING_UP: 503,
  QUORATE_HALTED: 503,
  QUORATE_STORAGE_FULL: 503,
  QUORATE_CLOSED: 503,
  QUORATE_ABORTED: 503,
  QUORATE_OUTCOME_UNKNOWN: 504,
};

type Headers = Readonly<Record<string, string>>;

/** The next request may have another answer, so nobody on the way may cache this one. */
export const FOR_NOW_ONLY = { 'X-Content-Type-Options': 'nosniff', 'Cache-Control': 'no-store' } as const;

export function sendJson(response: ServerResponse, status: number, document: object, headers: Headers = {}): void {
  const body = `${JSON.stringify(document)}\n`;
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    ...FOR_NOW_ONLY,
    ...headers,
  });
  response.end(body);
}

/** `{"error": {"code", "message", …}}`, with the code as over the command line: without its prefix. Returns the error that was sent. */
export function sendError(response: ServerResponse, error: unknown): QuorateError {
  const known = error instanceof QuorateError ? error : unexpected(error);
  const status = known instanceof RefusedRequest ? known.status : (STATUS_OF[known.code] ?? 500);
  const seconds = Math.max(1, Math.ceil((known.retryAfterMs ?? 0) / 1_000));
  const retry: Headers = known.code === 'QUORATE_OVERLOADED' ? { 'Retry-After': String(seconds) } : {};
  const code = known.code.replace('QUORATE_', '');
  const document = { error: { code, message: known.message, ...known.details } };
  if (response.headersSent) response.destroy();
  else sendJson(response, status, document, retry);
  return known;
}

/** A mistake of ours. What it did before it failed is not known, so nobody may take it for undone and try again (P37). */
function unexpected(error: unknown): QuorateError {
  const message = error instanceof Error ? error.message : String(error);
  const why = `the request failed in an unforeseen way (${message}): it may have taken effect, or still do so`;
  return new QuorateError('QUORATE_OUTCOME_UNKNOWN', why, { cause: error });
}

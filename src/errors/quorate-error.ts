/** Every code that callers may meet, here and over HTTP (there without the prefix). Stable. */
export type QuorateErrorCode =
  | 'QUORATE_BAD_REQUEST'
  | 'QUORATE_FORBIDDEN'
  | 'QUORATE_NOT_FOUND'
  | 'QUORATE_CONFLICT'
  | 'QUORATE_TOO_LARGE'
  | 'QUORATE_OVERLOADED'
  | 'QUORATE_NO_LEADER'
  | 'QUORATE_NO_QUORUM'
  | 'QUORATE_HALTED'
  | 'QUORATE_STORAGE_FULL'
  | 'QUORATE_CATCHING_UP'
  | 'QUORATE_OUTCOME_UNKNOWN'
  | 'QUORATE_NO_ANSWER'
  | 'QUORATE_NOT_IN_THIS_VERSION'
  | 'QUORATE_SNAPSHOT_FAILED'
  | 'QUORATE_CONFIG_INVALID'
  | 'QUORATE_DATA_DAMAGED'
  | 'QUORATE_DATA_LOCKED'
  | 'QUORATE_CLOSED'
  | 'QUORATE_ABORTED';

/** The error that callers catch: a stable code, a message that says what to do next, and the cause. */
export class QuorateError extends Error {
  override readonly name = 'QuorateError';
  readonly code: QuorateErrorCode;
  /** Further fields of the error document: `revision` of a conflict, `retryAfterMs` of an overload, `file` and `offset` of damage. */
  readonly details: Readonly<Record<string, unknown>>;

  constructor(
    code: QuorateErrorCode,
    message: string,
    options: { cause?: unknown; details?: Readonly<Record<string, unknown>> } = {},
  ) {
    super(message, 'cause' in options ? { cause: options.cause } : undefined);
    this.code = code;
    this.details = options.details ?? {};
  }

  /** With OVERLOADED: in how many ms what waits will be done, at the present rate. Undefined where nobody can tell. */
  get retryAfterMs(): number | undefined {
    const { retryAfterMs } = this.details;
    return typeof retryAfterMs === 'number' ? retryAfterMs : undefined;
  }
}

export function badRequest(message: string): QuorateError {
  return new QuorateError('QUORATE_BAD_REQUEST', message);
}

export function notInThisVersion(what: string): QuorateError {
  return new QuorateError('QUORATE_NOT_IN_THIS_VERSION', `${what}: not in this version`);
}

/** Nothing was done for these, and another node, or the same one a moment later, may do it (P37). */
const WORTH_ANOTHER_TRY: readonly string[] = [
  'QUORATE_OVERLOADED',
  'QUORATE_NO_LEADER',
  'QUORATE_NO_QUORUM',
  'QUORATE_HALTED',
  'QUORATE_STORAGE_FULL',
  'QUORATE_CLOSED',
] satisfies QuorateErrorCode[];

/** Whether a node's answer with this code lets anybody ask again without reading first. */
export const isWorthAnotherTry = (code: string): boolean => WORTH_ANOTHER_TRY.includes(code);

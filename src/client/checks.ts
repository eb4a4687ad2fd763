// What no node would take is refused here, with nothing sent: each check throws BAD_REQUEST, or TOO_LARGE.

import { encodeText } from '../codec/bytes.js';
import { badRequest, QuorateError } from '../seams/errors.js';
import type { Condition } from '../state-machines/key-value-codec.js';
import { isWellFormed, MOST_KEY_BYTES, MOST_VALUE_BYTES } from '../state-machines/key-value-codec.js';
import type { Consistency } from '../state-machines/key-value-queries.js';
import { CONSISTENCIES, MOST_ITEMS } from '../state-machines/key-value-queries.js';

const MOST_TIMEOUT_MS = 60_000;

/** Of UTF-16's units none takes more than three bytes: most keys are known to fit without being encoded. */
const SURELY_FITS = Math.floor(MOST_KEY_BYTES / 3);

export function checkTimeout(timeoutMs: number): void {
  if (typeof timeoutMs === 'number' && timeoutMs >= 1 && timeoutMs <= MOST_TIMEOUT_MS) return;
  throw badRequest(`timeoutMs is ${timeoutMs}: 1 to ${MOST_TIMEOUT_MS} would do`);
}

export function checkKey(key: string): void {
  checkText('a key', key);
  if (key.length >= 1 && key.length <= SURELY_FITS) return;
  const bytes = encodeText(key).byteLength;
  if (bytes >= 1 && bytes <= MOST_KEY_BYTES) return;
  throw badRequest(`a key has 1 to ${MOST_KEY_BYTES} bytes of UTF-8, this one has ${bytes}`);
}

export function checkText(what: string, text: string): void {
  if (typeof text !== 'string') throw badRequest(`${what} is a string, not ${typeof text}`);
  if (!isWellFormed(text)) throw badRequest(`${what} is UTF-8: it has half a surrogate pair`);
}

/** A frame that is much larger would end its connection, and with it all calls under way. */
export function bytesOf(value: Uint8Array | string): Uint8Array {
  if (typeof value === 'string') checkText('a value', value);
  const encoded = typeof value === 'string' ? encodeText(value) : value;
  if (!(encoded instanceof Uint8Array)) throw badRequest('a value is a string or a Uint8Array');
  const bytes = encoded.byteLength;
  if (bytes <= MOST_VALUE_BYTES) return encoded;
  throw new QuorateError('QUORATE_TOO_LARGE', `a value has at most ${MOST_VALUE_BYTES} bytes, this one has ${bytes}`);
}

export function checkLimit(limit: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST_ITEMS) return;
  throw badRequest(`limit is ${limit}: a whole number from 1 to ${MOST_ITEMS} would do`);
}

export function checkConsistency(consistency: Consistency = 'linearizable'): Consistency {
  if (CONSISTENCIES.includes(consistency)) return consistency;
  throw badRequest(`consistency is ${consistency}: linearizable or stale would do`);
}

export function conditionOf({ ifRevision }: { readonly ifRevision?: number }): { readonly condition?: Condition } {
  if (ifRevision === undefined) return {};
  if (!Number.isSafeInteger(ifRevision) || ifRevision < 0)
    throw badRequest(`ifRevision is ${ifRevision}: a revision, or 0, would do`);
  return { condition: ifRevision === 0 ? 'absent' : ifRevision };
}

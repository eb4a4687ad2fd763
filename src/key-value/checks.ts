// Checks a client's arguments before anything is sent. Throws BAD_REQUEST or TOO_LARGE.

import { badRequest, QuorateError } from '../errors/quorate-error.js';
import { shown } from '../errors/shown.js';
import { encodeText } from '../wire/bytes.js';
import type { Condition } from './codec.js';
import { isWellFormed, MOST_KEY_BYTES, MOST_VALUE_BYTES } from './codec.js';
import { MOST_ITEMS } from './queries.js';

/** A unit of UTF-16 takes three bytes at the most: most keys are known to fit without being encoded. */
const SURELY_FITS = Math.floor(MOST_KEY_BYTES / 3);

export function checkKey(key: string): void {
  checkText('a key', key);
  if (key.length >= 1 && key.length <= SURELY_FITS) return;
  const bytes = encodeText(key).byteLength;
  if (bytes >= 1 && bytes <= MOST_KEY_BYTES) return;
  throw badRequest(`expected a key of 1 to ${MOST_KEY_BYTES} bytes of UTF-8, got ${bytes} bytes`);
}

export function checkText(what: string, text: string): void {
  if (typeof text !== 'string') throw badRequest(`expected ${what} to be a string, got ${shown(text)}`);
  if (!isWellFormed(text))
    throw badRequest(`expected ${what} to be text that UTF-8 can hold, but it has half a surrogate pair`);
}

/** A frame that is much larger would end its connection, and with it all calls under way. */
export function bytesOf(value: Uint8Array | string): Uint8Array {
  if (typeof value === 'string') checkText('a value', value);
  const encoded = typeof value === 'string' ? encodeText(value) : value;
  if (!(encoded instanceof Uint8Array))
    throw badRequest(`expected a value to be a string or a Uint8Array, got ${shown(value)}`);
  const bytes = encoded.byteLength;
  if (bytes <= MOST_VALUE_BYTES) return encoded;
  throw new QuorateError(
    'QUORATE_TOO_LARGE',
    `expected a value of at most ${MOST_VALUE_BYTES} bytes, got ${bytes}: split it`,
  );
}

export function checkLimit(limit: number): void {
  if (Number.isInteger(limit) && limit >= 1 && limit <= MOST_ITEMS) return;
  throw badRequest(`expected limit to be a whole number from 1 to ${MOST_ITEMS}, got ${shown(limit)}`);
}

export function conditionOf({ ifRevision }: { readonly ifRevision?: number }): { readonly condition?: Condition } {
  if (ifRevision === undefined) return {};
  if (!Number.isSafeInteger(ifRevision) || ifRevision < 0)
    throw badRequest(
      `expected ifRevision to be a revision, or 0 for a key that does not exist, got ${shown(ifRevision)}`,
    );
  return { condition: ifRevision === 0 ? 'absent' : ifRevision };
}

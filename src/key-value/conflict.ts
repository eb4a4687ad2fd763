import { QuorateError } from '../errors/quorate-error.js';

/** Why a write was not done whose condition failed. `revision` is the entry's present one, null where it is absent. */
export function conflict(key: string, revision: number | null): QuorateError {
  const now = revision === null ? 'does not exist' : `has revision ${revision}`;
  return new QuorateError('QUORATE_CONFLICT', `the condition failed: ${key} ${now}`, { details: { revision } });
}

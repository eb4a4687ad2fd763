import type { Consistency } from '../calls/call-options.js';
import { CONSISTENCIES } from '../calls/call-options.js';
import { badRequest } from '../errors/quorate-error.js';
import { shown } from '../errors/shown.js';

/** Throws BAD_REQUEST. */
export function checkConsistency(consistency: Consistency = 'linearizable'): Consistency {
  if (CONSISTENCIES.includes(consistency)) return consistency;
  throw badRequest(`expected consistency to be "linearizable" or "stale", got ${shown(consistency)}`);
}

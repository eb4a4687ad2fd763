import { QuorateError } from '../errors/quorate-error.js';
import type { Codec } from '../seams/state-machine.js';

/**
 * A command as it will stand in the log. What no replica could write or decode would halt them all, for good: it is
 * refused with BAD_REQUEST, and never enters the log.
 */
export function encodeCommand<Command>(codec: Codec<Command>, command: Command): Uint8Array {
  try {
    const payload: unknown = codec.encode(command);
    if (!(payload instanceof Uint8Array))
      throw new TypeError(`encode returns a Uint8Array, and gave ${Object.prototype.toString.call(payload)}`);
    codec.decode(payload);
    return payload;
  } catch (cause) {
    if (cause instanceof QuorateError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new QuorateError('QUORATE_BAD_REQUEST', `the state machine's codec cannot take this command: ${why}`, {
      cause,
    });
  }
}

import { MalformedBytes } from '../../src/wire/malformed.js';
import { MOST_FRAME_BYTES } from '../fragments.js';

export const PEER_PROTOCOL = 'quorate.peer.1';

/** For both ends of a connection between nodes. */
export const LIMITS = {
  maxPayload: MOST_FRAME_BYTES,
  // Ours come in one piece each; defaults would let small fragments pin a lot of memory.
  maxFragments: 16,
  maxBufferedChunks: 4_096,
  perMessageDeflate: false,
  // Each end has a pulse of its own; answers to the other's would double it.
  autoPong: false,
};

/** The result of `read`, or why the bytes that it reads are malformed. */
export function parsed<Value>(read: () => Value): Value | MalformedBytes {
  try {
    return read();
  } catch (error) {
    if (error instanceof MalformedBytes) return error;
    throw error;
  }
}

import type { WebSocket } from 'ws';
import type { Clock } from '../seams/clock.js';
import { FAREWELL_MS } from '../wire/connections.js';

/** The frame that closes a WebSocket has room for so many bytes of a reason (RFC 6455, section 5.5). */
const MOST_REASON_BYTES = 123;

/** Closes a WebSocket and says why, and cuts it where its other end does not close in time. */
export function endSoon(socket: WebSocket, clock: Clock, code: number, reason: string): void {
  // An id may have any characters; `ws` throws where a reason is too long in bytes.
  socket.close(code, reason.replace(/[^ -~]/g, '?').slice(0, MOST_REASON_BYTES));
  const deadline = clock.setTimeout(() => socket.terminate(), FAREWELL_MS);
  socket.once('close', () => clock.clearTimeout(deadline));
}

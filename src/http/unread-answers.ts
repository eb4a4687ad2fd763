import type { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** A caller that takes nothing of its answer for so long has gone, or as good as gone. Node.js looks once in this time whether anything was taken. */
export const UNREAD_MS = 60_000;

/**
 * Ends the connection of an answer that is made, when nothing of it has left for `unreadMs`: it keeps its memory and a client's place. One that
 * leaves slowly has its time: Node.js counts what the system took. Where the server's owner has set a timeout, that one holds.
 */
export function endIfUnread(socket: Duplex, response: ServerResponse, unreadMs: number): void {
  if (!(socket instanceof Socket) || response.socket !== socket || socket.timeout) return;
  const end = (): void => void socket.destroy();
  socket.setTimeout(unreadMs, end);
  // Before Node.js sets the time that it waits for the next request.
  response.prependOnceListener('finish', () => {
    socket.off('timeout', end);
    socket.setTimeout(0);
  });
}

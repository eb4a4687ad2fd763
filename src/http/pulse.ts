import type { WebSocket } from 'ws';
import type { Clock } from '../seams/clock.js';

const EVERY_MS = 30_000;

/**
 * Pings every client every 30 seconds, and ends those that have not answered until the next time: a machine that lost its power
 * says no goodbye. A client that does not read is not asked, but ended when nothing has left for it in that time. Returns
 * how to stop.
 */
export function keepPulse(sockets: () => Iterable<WebSocket>, clock: Clock): () => void {
  const asked = new WeakSet<WebSocket>();
  const unsent = new WeakMap<WebSocket, number>();
  const isHeard = new WeakSet<WebSocket>();
  const look = (socket: WebSocket): void => {
    if (socket.isPaused) {
      const isStuck = socket.bufferedAmount > 0 && unsent.get(socket) === socket.bufferedAmount;
      unsent.set(socket, socket.bufferedAmount);
      asked.delete(socket);
      if (isStuck) socket.terminate();
      return;
    }
    unsent.delete(socket);
    if (asked.has(socket)) return socket.terminate();
    asked.add(socket);
    if (!isHeard.has(socket)) {
      isHeard.add(socket);
      socket.on('pong', () => asked.delete(socket));
    }
    socket.ping();
  };
  let timer: unknown;
  const beat = (): void => {
    timer = clock.setTimeout(() => {
      for (const socket of sockets()) look(socket);
      beat();
    }, EVERY_MS);
  };
  beat();
  return () => clock.clearTimeout(timer);
}

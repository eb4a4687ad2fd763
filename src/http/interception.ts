import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';

interface ServerEvents {
  readonly upgrade: readonly [request: IncomingMessage, socket: Duplex, head: Buffer];
  readonly request: readonly [request: IncomingMessage, response: ServerResponse];
}

/**
 * Offers a server's events to `take` before any listener gets them. An event that it takes reaches no listener: two
 * listeners that answer the same request or socket end the process. Returns how to stop.
 */
export function interceptEvent<Event extends keyof ServerEvents>(
  server: Server,
  event: Event,
  take: (...details: ServerEvents[Event]) => boolean,
): () => void {
  const isOverridden = Object.hasOwn(server, 'emit');
  const emit = server.emit as (name: string | symbol, ...details: unknown[]) => boolean;
  let isActive = true;
  const intercepting = (name: string | symbol, ...details: unknown[]): boolean => {
    if (isActive && name === event && take(...(details as unknown as ServerEvents[Event]))) return true;
    return emit.call(server, name, ...details);
  };
  server.emit = intercepting as Server['emit'];
  return () => {
    isActive = false;
    // An override that came later calls this function, which passes everything on from now on.
    if (server.emit !== intercepting) return;
    if (isOverridden) server.emit = emit as Server['emit'];
    else delete (server as { emit?: Server['emit'] }).emit;
  };
}

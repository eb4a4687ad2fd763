import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * The path that an upgrade asks for, never normalized: all listeners of one server must agree whose a request is. `URL` would
 * throw for `//`, and in a listener nobody catches that.
 */
export const pathOf = ({ url = '/' }: IncomingMessage): string => url.split('?', 1)[0] ?? '/';

/**
 * Whether a Host header names this node. A name that was made to point here (DNS rebinding) is none of `addresses`, each
 * host:port; numbers and localhost cannot be made to.
 */
export function isHostOf(host: string, addresses: readonly string[]): boolean {
  const name = nameOf(host);
  if (name === 'localhost' || NUMBERS.test(name)) return true;
  return addresses.some((address) => nameOf(address) === name);
}

/** Browsers take what looks like this for an address, and ask no name server. */
const NUMBERS = /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/;

/** The host without its port. */
const nameOf = (host: string): string => host.replace(/:\d+$/, '').toLowerCase();

/** How long the other end has to read why it was turned away. It may keep its end open for ever, and so the descriptor. */
const FAREWELL_MS = 1_000;

/** Ends a connection that asked to become a WebSocket with a plain answer: `status` as in `403 Forbidden`, `why` a sentence. */
export function refuseUpgrade(socket: Duplex, status: string, why = ''): void {
  const body = why === '' ? '' : `${why}\n`;
  const length = new TextEncoder().encode(body).byteLength;
  const head = ['Content-Type: text/plain', `Content-Length: ${length}`, 'Connection: close'];
  socket.on('error', () => undefined);
  socket.on('end', () => socket.destroy());
  (socket as Socket).setTimeout?.(FAREWELL_MS, () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\n${head.join('\r\n')}\r\n\r\n${body}`);
}

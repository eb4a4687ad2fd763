import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/** A request's target, taken apart and never normalized: `a/../b` is a key like any other. */
export interface Target {
  /** The host that an absolute target names: it counts, and the Host header does not (RFC 9112, section 3.2.2). */
  readonly host: string | undefined;
  /** Still percent-encoded. */
  readonly path: string;
  /** What follows the first question mark. */
  readonly search: string;
}

/** `URL` would normalize paths, and throw for `//`: in a listener nobody catches that. */
export function targetOf({ url = '/' }: IncomingMessage): Target {
  const absolute = url.startsWith('/') ? null : ABSOLUTE.exec(url);
  const rest = absolute === null ? url : url.slice(absolute[0].length);
  const at = rest.indexOf('?');
  const path = at === -1 ? rest : rest.slice(0, at);
  return { host: absolute?.[1], path: path === '' ? '/' : path, search: at === -1 ? '' : rest.slice(at + 1) };
}

const ABSOLUTE = /^https?:\/\/([^/?#]*)/i;

/** The path that an upgrade asks for. */
export const pathOf = (request: IncomingMessage): string => targetOf(request).path;

/**
 * Whether a Host header names this node. A name that was made to point here (DNS rebinding) is none of `addresses`, each a
 * name or host:port; numbers and localhost cannot be made to. Whoever sends no Host is no browser.
 */
export function isHostOf(host: string | undefined, addresses: readonly string[]): boolean {
  if (host === undefined || host === '') return true;
  const name = nameOf(host);
  if (name === 'localhost' || NUMBERS.test(name)) return true;
  return addresses.some((address) => nameOf(address) === name);
}

/** Browsers take what looks like this for an address, and ask no name server. */
const NUMBERS = /^(\d{1,3}(\.\d{1,3}){3}|\[[0-9a-f:.]+\])$/;

/** The host without its port. */
const nameOf = (host: string): string => host.replace(/:\d+$/, '').toLowerCase();

/** How long the other end has to read why it was turned away. It may keep its end open for ever, and so the descriptor. */
export const REFUSAL_READ_WITHIN_MS = 1_000;

/** Codes of the answers that a connection may get in place of a WebSocket, by status; others are BAD_REQUEST. */
const CODES: Readonly<Record<string, string>> = { 403: 'FORBIDDEN', 404: 'NOT_FOUND', 503: 'OVERLOADED' };

/**
 * Ends a connection with an answer in the form that all errors have, though there is no response to write it to: one that
 * asked to become a WebSocket, as a rule. `status` as in `403 Forbidden`; `why` is a sentence, and without one there is no body.
 */
export function refuseUpgrade(socket: Duplex, status: string, why = '', headers: readonly string[] = []): void {
  const code = CODES[status.slice(0, 3)] ?? 'BAD_REQUEST';
  const body = why === '' ? '' : `${JSON.stringify({ error: { code, message: why } })}\n`;
  const length = new TextEncoder().encode(body).byteLength;
  const lines = ['Content-Type: application/json', `Content-Length: ${length}`, 'Connection: close', ...headers];
  socket.on('error', () => undefined);
  socket.on('end', () => socket.destroy());
  (socket as Socket).setTimeout?.(REFUSAL_READ_WITHIN_MS, () => socket.destroy());
  socket.end(`HTTP/1.1 ${status}\r\n${lines.join('\r\n')}\r\n\r\n${body}`);
}

/** Answers what `ws` finds wrong with a handshake: the listener of its event `wsClientError`, without which it answers in HTML. */
export function refuseHandshake({ message }: Error, socket: Duplex, { method }: IncomingMessage): void {
  const why = `that is no WebSocket handshake (RFC 6455): ${message}`;
  if (method !== 'GET') refuseUpgrade(socket, '405 Method Not Allowed', why, ['Allow: GET']);
  else refuseUpgrade(socket, '400 Bad Request', why, ['Sec-WebSocket-Version: 13']);
}

import type { IncomingMessage } from 'node:http';

/** A request's target, taken apart and never normalized: `a/../b` is a key like any other. */
export interface Target {
  /** The host that an absolute target names: it counts, and the Host header does not (RFC 9112, section 3.2.2). */
  readonly host: string | undefined;
  /** Still percent-encoded. */
  readonly path: string;
  /** The part after the first question mark. */
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

/** Whether the node's routes can be mounted under it: `/quorate`, or '' for the top. */
export function isPrefix(value: unknown): value is string {
  return typeof value === 'string' && (value === '' || /^(\/[^/?#\s]+)+$/.test(value));
}

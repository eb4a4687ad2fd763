import { badRequest } from '../errors/quorate-error.js';
import { shown } from '../errors/shown.js';

/** The addresses of a local cluster of three: `quorate cluster` without `--port`. */
export const DEFAULT_ENDPOINTS: readonly string[] = ['127.0.0.1:7401', '127.0.0.1:7402', '127.0.0.1:7403'];

/** host:port of an endpoint, which may be written as a URL, http://host:port, too. Throws BAD_REQUEST. */
export function addressOf(endpoint: string): string {
  const text = typeof endpoint === 'string' ? endpoint.trim() : '';
  const [, scheme, address = ''] = /^(?:([a-z]+):\/\/)?(.*?)\/?$/i.exec(text) ?? [];
  if (scheme?.toLowerCase() === 'https') {
    throw badRequest(
      `expected an endpoint host:port or http://host:port, got "${text}": nodes have no TLS in this version, so take http:// in place of https://`,
    );
  }
  const isHttp = scheme === undefined || scheme.toLowerCase() === 'http';
  if (isHttp && isAddress(address)) return address;
  throw badRequest(`expected an endpoint host:port or http://host:port, as in 127.0.0.1:7401, got ${shown(endpoint)}`);
}

function isAddress(text: string): boolean {
  return /^(\[[^\]]+\]|[^:/\s@]+):\d{1,5}$/.test(text) && isDialable(text);
}

/** Whether a URL can have this host:port. Nodes of earlier releases may tell of members at others: `quorate.1:7401`, `[fe80::1%eth0]:7401`. */
export function isDialable(address: string): boolean {
  return URL.canParse(`http://${address}`);
}

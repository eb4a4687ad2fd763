import type { IncomingMessage, ServerResponse } from 'node:http';
import { badRequest, QuorateError } from '../errors/quorate-error.js';
import { isHostOf, targetOf } from './request-target.js';
import type { ServedNode } from './served-node.js';

/**
 * A page in a browser on this machine can send requests here, too. Its Origin gives it away; and a name that was made to
 * point here (DNS rebinding) is in Host. Numbers and the cluster's own names cannot be made to. Browsers always send a
 * Host, so a request without one is none of theirs. Pages that a member of the cluster serves are admitted.
 */
export function checkCaller(message: IncomingMessage, node: CalledNode): void {
  mustHaveOneHost(message);
  const host = hostOf(message);
  if (!isHostOf(host, [...addressesOf(node), ...node.allowHosts])) {
    const name = (host ?? '').replace(/:\d+$/, '');
    throw forbidden(
      `expected a Host that names this node, got "${host}": use localhost, an IP address or an address from --peers, or start the node with --allow-host ${name} (allowHosts in code)`,
    );
  }
  const { origin } = message.headers;
  if (origin === undefined || isOwnOrigin(origin, host) || isOriginOfMember(origin, node)) return;
  throw forbidden(`pages from ${origin} may not use this node`);
}

/** The parts of a node that decide who may call it. */
export interface CalledNode extends Pick<ServedNode, 'address' | 'allowHosts'> {
  readonly state: Pick<ServedNode['state'], 'role' | 'peers'>;
}

/** The header by which a page says that it means to change something: no form and no image can send it. */
export const ACT_HEADER = 'X-Quorate-Page';

/**
 * A page may change something only from this machine, and only by saying so in a header: what a person has confirmed in a dashboard does,
 * what another page makes a browser send does not. Programs send no Origin, and are not asked. Throws FORBIDDEN.
 */
export function checkAct(message: IncomingMessage): void {
  const { method = 'GET', headers, socket } = message;
  if (headers.origin === undefined || ['GET', 'HEAD', 'OPTIONS'].includes(method)) return;
  if (!isFromHere(message)) {
    const header = forwardingHeaderOf(message);
    const where = header === undefined ? `is at ${socket.remoteAddress}` : `comes through a proxy (${header})`;
    throw forbidden(
      `pages may change something only on the machine of the node that they ask, and this one ${where}: use the command line, or a tunnel (ssh -L)`,
    );
  }
  if (headers[ACT_HEADER.toLowerCase()] !== undefined) return;
  throw forbidden(`expected a page to send the header "${ACT_HEADER}: 1" with what changes something, got none`);
}

const isLoopback = (address: string): boolean => /^(::ffff:)?127\.|^::1$/.test(address);

/** Reverse proxies say by them for whom they ask. */
const FORWARDING_HEADERS = ['Forwarded', 'X-Forwarded-For', 'X-Real-IP'];

/** The parts of a request that tell where it comes from. */
type Sender = Pick<IncomingMessage, 'headers'> & { readonly socket: Pick<IncomingMessage['socket'], 'remoteAddress'> };

const forwardingHeaderOf = ({ headers }: Sender): string | undefined =>
  FORWARDING_HEADERS.find((name) => headers[name.toLowerCase()] !== undefined);

/** Whether a request was made on this machine. One that a proxy on this machine passes on may come from anywhere. */
export const isFromHere = (message: Sender): boolean =>
  isLoopback(message.socket.remoteAddress ?? '') && forwardingHeaderOf(message) === undefined;

const PREFLIGHT_KEPT_S = 600;

/** Tells the browser that a page of another member may read the answer (CORS). True where this request only asks whether it may. */
export function admitPage(message: IncomingMessage, response: ServerResponse): boolean {
  const { origin } = message.headers;
  if (origin === undefined) return false;
  response.setHeader('Vary', 'Origin');
  if (isOwnOrigin(origin, hostOf(message))) return false;
  response.setHeader('Access-Control-Allow-Origin', origin);
  response.setHeader('Access-Control-Expose-Headers', 'ETag, Retry-After, X-Quorate-Index');
  if (message.method !== 'OPTIONS' || message.headers['access-control-request-method'] === undefined) return false;
  response.writeHead(204, {
    'Access-Control-Allow-Methods': 'GET, HEAD, PUT, POST, DELETE',
    'Access-Control-Allow-Headers': `Content-Type, If-Match, If-None-Match, Idempotency-Key, ${ACT_HEADER}`,
    'Access-Control-Max-Age': PREFLIGHT_KEPT_S,
  });
  response.end();
  return true;
}

/** The host that a request names, as the sender wrote it. */
export const hostOf = (message: IncomingMessage): string | undefined => targetOf(message).host ?? message.headers.host;

function isOwnOrigin(origin: string, host: string | undefined): boolean {
  return origin === `http://${host}` || origin === `https://${host}`;
}

/** A page that a member served has its address for Origin; on this machine it may have been opened under another name for loopback. */
function isOriginOfMember(origin: string, node: CalledNode): boolean {
  const [, place] = /^https?:\/\/([^/]+)$/.exec(origin) ?? [];
  return place !== undefined && addressesOf(node).some((address) => sameLoopback(address) === sameLoopback(place));
}

/** All names for this machine as one. */
function sameLoopback(address: string): string {
  return address.toLowerCase().replace(/^(localhost|127\.0\.0\.1|\[::1\]):/, 'loopback:');
}

/** RFC 9112, section 3.2: a proxy in between may have checked the other one. */
function mustHaveOneHost({ rawHeaders }: IncomingMessage): void {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]?.toLowerCase() === 'host') hosts += 1;
  if (hosts > 1) throw badRequest(`expected one Host header, got ${hosts}`);
}

/** The addresses of this node and of all members. */
export function addressesOf({ address, state }: CalledNode): readonly string[] {
  return [address, ...Object.values(state.peers).map((peer) => peer.address)];
}

function forbidden(message: string): QuorateError {
  return new QuorateError('QUORATE_FORBIDDEN', message);
}

import type { IncomingMessage } from 'node:http';
import { badRequest, QuorateError } from '../errors/quorate-error.js';
import type { ServedNode } from './served-node.js';
import { isHostOf, targetOf } from './upgrades.js';

/**
 * A page in a browser on this machine can send requests here, too. Its Origin gives it away; and a name that was made to
 * point here (DNS rebinding) is in Host. Numbers and the cluster's own names cannot be made to. Browsers always send a
 * Host, so a request without one is none of theirs.
 */
export function checkCaller(message: IncomingMessage, node: ServedNode): void {
  mustHaveOneHost(message);
  const host = targetOf(message).host ?? message.headers.host;
  if (!isHostOf(host, [...addressesOf(node), ...node.allowHosts])) {
    const name = (host ?? '').replace(/:\d+$/, '');
    throw forbidden(
      `expected a Host that names this node, got "${host}": use localhost, an IP address or an address from --peers, or start the node with --allow-host ${name} (allowHosts in code)`,
    );
  }
  const { origin } = message.headers;
  if (origin !== undefined && origin !== `http://${host}` && origin !== `https://${host}`) {
    throw forbidden(`pages from ${origin} may not use this node`);
  }
}

/** RFC 9112, section 3.2: a proxy in between may have checked the other one. */
function mustHaveOneHost({ rawHeaders }: IncomingMessage): void {
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) if (rawHeaders[at]?.toLowerCase() === 'host') hosts += 1;
  if (hosts > 1) throw badRequest(`expected one Host header, got ${hosts}`);
}

function addressesOf({ address, state }: ServedNode): readonly string[] {
  return [address, ...Object.values(state.peers).map((peer) => peer.address)];
}

function forbidden(message: string): QuorateError {
  return new QuorateError('QUORATE_FORBIDDEN', message);
}

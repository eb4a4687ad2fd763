import type { IncomingMessage } from 'node:http';
import { isHostOf } from '../../transport/upgrades.js';
import { QuorateError } from '../seams/errors.js';
import type { ServedNode } from './served-node.js';

/**
 * A page in a browser on this machine can send requests here, too. Its Origin gives it away; and a name that was made to
 * point here (DNS rebinding) is in Host. Numbers and the cluster's own names cannot be made to.
 */
export function checkCaller({ headers }: IncomingMessage, node: ServedNode): void {
  const host = headers.host ?? '';
  if (!isHostOf(host, addressesOf(node))) {
    throw forbidden(
      `the Host "${host}" is none of this node's: use localhost, an IP address, or an address from --peers`,
    );
  }
  const { origin } = headers;
  if (origin !== undefined && origin !== `http://${host}`) {
    throw forbidden(`pages from ${origin} may not use this node`);
  }
}

function addressesOf({ address, state }: ServedNode): readonly string[] {
  return [address, ...Object.values(state.peers).map((peer) => peer.address)];
}

function forbidden(message: string): QuorateError {
  return new QuorateError('QUORATE_FORBIDDEN', message);
}

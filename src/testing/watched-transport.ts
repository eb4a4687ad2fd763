import type { NodeId } from '../raft/numbers-and-ids.js';
import type { Transport } from '../seams/transport.js';
import type { DurabilityChecker } from './durability.js';

/** The same transport, with every message that replica `id` sends shown to the checker before it leaves. */
export function watchedTransport(transport: Transport, id: NodeId, durability: DurabilityChecker): Transport {
  return {
    serveSnapshots: transport.serveSnapshots?.bind(transport),
    snapshotSource: transport.snapshotSource?.bind(transport),
    accept: (identity, inbound, settings) => transport.accept(identity, inbound, settings),
    dial: (identity, peer, events, settings) => {
      const connection = transport.dial(identity, peer, events, settings);
      return {
        send: (message) => {
          durability.sends(id, peer.id, message);
          return connection.send(message);
        },
        peerArrived: () => connection.peerArrived(),
        close: () => connection.close(),
      };
    },
  };
}

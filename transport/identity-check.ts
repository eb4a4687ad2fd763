import type { NodeId } from '../src/raft/kinds.js';
import type { KnownPeers } from '../src/seams/known-peers.js';
import type { Identity } from '../src/seams/transport.js';

/** For as long as this object lives: for nodes without a data directory, which nobody knows again after a restart either. */
export class PeersKnownInMemory implements KnownPeers {
  readonly #incarnations = new Map<NodeId, string>();

  incarnationOf(peer: NodeId): string | undefined {
    return this.#incarnations.get(peer);
  }

  remember(peer: NodeId, incarnation: string, done: (error?: Error) => void): void {
    if (!this.#incarnations.has(peer)) this.#incarnations.set(peer, incarnation);
    done();
  }
}

export interface Meeting {
  readonly self: Identity;
  /** The identity that the other end claims. */
  readonly other: Identity;
  /** For the one who dialed: whom it meant to reach. */
  readonly expected?: NodeId;
  readonly knownPeers: KnownPeers;
}

/**
 * Decides whether two nodes belong together. Calls back with the reason why not, a sentence that makes sense on both sides; or
 * with undefined, once it is durable that the other was met: no message of it may have an effect before that (P43).
 */
export function checkIdentity(meeting: Meeting, done: (reason: string | undefined) => void): void {
  const { self, other, knownPeers } = meeting;
  const reason = objection(meeting);
  if (reason !== undefined || knownPeers.incarnationOf(other.nodeId) !== undefined) return done(reason);
  knownPeers.remember(other.nodeId, other.incarnation, (error) => {
    if (error === undefined) return done(objection(meeting));
    done(
      `${self.nodeId} cannot keep on its disk that it met ${other.nodeId}, and believes only nodes that it will know again (${error.message}): mend the disk of ${self.nodeId}; it tries again`,
    );
  });
}

function objection({ self, other, expected, knownPeers }: Meeting): string | undefined {
  if (other.clusterId !== self.clusterId) {
    return `${other.nodeId} belongs to cluster ${other.clusterId}, ${self.nodeId} to ${self.clusterId}: check --cluster and the ids in --peers of both`;
  }
  if (other.nodeId === self.nodeId) {
    return other.incarnation === self.incarnation
      ? `${self.nodeId} dialed itself: check the addresses in --peers`
      : `two nodes have the id ${self.nodeId}: give each its own`;
  }
  const known = knownPeers.incarnationOf(other.nodeId);
  if (known !== undefined && known !== other.incarnation) {
    return `${other.nodeId} has another data directory than the ${other.nodeId} that ${self.nodeId} has met: start it with the directory it had. If its data is gone, so are its votes and what it acknowledged: it stays out, and this version cannot admit it again; the other nodes work on while a majority of them runs`;
  }
  if (expected === undefined || other.nodeId === expected) return undefined;
  return `${other.nodeId} answers where ${expected} was expected: check the addresses in --peers`;
}

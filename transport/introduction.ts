import type { NodeId } from '../src/raft/kinds.js';
import type { Identity } from '../src/seams/transport.js';

/** Who has been met under which incarnation, for as long as this process lives. */
export type Acquaintances = Map<NodeId, string>;

/**
 * Why two nodes do not belong together, as a sentence that makes sense on both sides; undefined where they do.
 * `other` says so of itself, to `self`.
 */
export function objection(self: Identity, other: Identity, met: Acquaintances): string | undefined {
  if (other.clusterId !== self.clusterId) {
    return `${other.nodeId} belongs to cluster ${other.clusterId}, ${self.nodeId} to ${self.clusterId}: check --cluster and the ids in --peers of both`;
  }
  if (other.nodeId === self.nodeId) {
    return other.incarnation === self.incarnation
      ? `${self.nodeId} dialed itself: check the addresses in --peers`
      : `two nodes have the id ${self.nodeId}: give each its own`;
  }
  const known = met.get(other.nodeId);
  if (known !== undefined && known !== other.incarnation) {
    return `${other.nodeId} has another data directory than the ${other.nodeId} met before: start it with the one it had. If that is the one, another process ran as ${other.nodeId} since ${self.nodeId} started: restart ${self.nodeId}. A node whose data is gone has forgotten its votes, and stays out in this version`;
  }
  return undefined;
}

/** As `objection`, for the one who dialed and expects a certain peer. */
export function objectionTo(expected: NodeId, self: Identity, other: Identity, met: Acquaintances): string | undefined {
  const reason = objection(self, other, met);
  if (reason !== undefined || other.nodeId === expected) return reason;
  return `${other.nodeId} answers where ${expected} was expected: check the addresses in --peers`;
}

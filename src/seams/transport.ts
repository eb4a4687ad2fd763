import type { NodeId } from '../raft/kinds.js';
import type { PeerMessage } from '../raft/messages.js';

/** What a node says of itself when it connects, and checks of whoever connects to it. */
export interface Identity {
  readonly clusterId: string;
  readonly nodeId: NodeId;
  /** Random, made with the data directory: the same id with another incarnation is a wiped or foreign node. */
  readonly incarnation: string;
}

export interface PeerAddress {
  readonly id: NodeId;
  /** host:port */
  readonly address: string;
}

/** What comes in on connections that peers opened to us. Calls may come at any time, never before `accept` returns. */
export interface Inbound {
  /** A peer has connected to us and is who it should be: it can be reached, too. */
  arrived(from: NodeId): void;
  /** A whole message, of which every part was checked for form and size. */
  received(from: NodeId, message: PeerMessage): void;
  /** Part of a large message came: its sender is alive. */
  heard(from: NodeId): void;
  /** Somebody was turned away: `reason` is a sentence for the log. */
  refused(reason: string): void;
}

/** What becomes of a connection that we opened. `closed` comes exactly once, unless `close` was called first. */
export interface DialEvents {
  opened(): void;
  /** `reason` is a sentence for the log; `refused` when the peer (or we) found the two do not belong together. */
  closed(reason: string, refused: boolean): void;
}

/** A connection to send on. Nothing is ever received on it but the peer's hello. */
export interface Connection {
  /**
   * Sends a message, large ones in parts so that a later small one may overtake. Messages with entries keep their order.
   * False when the connection is not open: nothing was sent.
   */
  send(message: PeerMessage): boolean;
  /** Ends it; no event follows. */
  close(): void;
}

/**
 * The network between nodes. A pair of nodes shares two connections: each sends on the one that it dialed.
 * A connection keeps order (but for overtaking) and loses nothing until it closes; then anything since may be lost.
 */
export interface Transport {
  /** Starts taking connections addressed to `identity`. The function returned stops it and closes them. */
  accept(identity: Identity, inbound: Inbound): () => void;
  dial(identity: Identity, peer: PeerAddress, events: DialEvents): Connection;
}

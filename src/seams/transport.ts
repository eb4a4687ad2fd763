import type { PeerMessage } from '../raft/messages.js';
import type { NodeId } from '../raft/numbers-and-ids.js';
import type { Settings } from '../raft/settings.js';
import type { SnapshotServing, SnapshotSource } from './snapshot-source.js';

/** A node says this of itself when it connects, and checks it of whoever connects to it. */
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

/** Events of connections that peers opened to us. Calls may come at any time, never before `accept` returns. */
export interface Inbound {
  /** A peer has connected to us and is who it should be: it can be reached, too. */
  arrived(from: NodeId): void;
  /** A whole message has come, and each of its parts was checked for form and size. */
  received(from: NodeId, message: PeerMessage): void;
  /** Part of a message came that is not whole yet: its sender is alive. At most about once in a heartbeat. */
  heard(from: NodeId): void;
  /** Somebody was turned away: `reason` is a sentence for the log. */
  refused(reason: string): void;
}

/** Events of a connection that we opened. `closed` comes exactly once, unless `close` was called first. */
export interface DialEvents {
  opened(): void;
  /** The dial waits for something slow, such as a name server: `reason` is a sentence for the log. Only before `opened`. */
  delayed(reason: string): void;
  /** There is room again. Comes once, after one or more messages were refused for want of it. */
  roomMade(): void;
  /**
   * `reason` is a sentence for the log; `refused` when the peer (or we) found the two do not belong together; `givenUp` when this end ended what
   * was open, because nothing came of the peer or it took nothing: its process may live. Default: false.
   */
  closed(reason: string, refused: boolean, givenUp?: boolean): void;
}

/** A connection to send on. Nothing is ever received on it but the peer's greeting and its pulse. */
export interface Connection {
  /**
   * Takes a message, to be sent after all that were taken before. False when it was refused, and nothing of it is ever
   * sent: the connection is not open, or too many bytes wait to leave.
   *
   * Only appends with entries and requests that are passed on are refused for want of room, and from the first refusal
   * until `roomMade` all of them are. A heartbeat (an append without entries) or a vote request that still waits gives way
   * to a newer one, so that these never queue. Replies are always taken; a connection that holds far too many is ended.
   */
  send(message: PeerMessage): boolean;
  /** The peer has just connected to us, so it can be reached: an attempt that got no answer for a while is begun anew. */
  peerArrived(): void;
  /** Ends it; no event follows. */
  close(): void;
}

/** The times that links keep: settings of the cluster. */
export type LinkSettings = Pick<Settings, 'ELECTION_TIMEOUT_MIN' | 'HEARTBEAT_INTERVAL' | 'MAX_MISSED_HEARTBEATS'>;

/**
 * The network between nodes. A pair of nodes shares two connections: each sends on the one that it dialed.
 *
 * A connection keeps order and loses nothing until it closes; then anything that is not acknowledged may be lost. The end
 * that dialed puts something on the wire in each HEARTBEAT_INTERVAL, and the other end in every fourth at the least. An end closes the
 * connection when nothing at all, not even part of a message, arrived for MAX_MISSED_HEARTBEATS of those (P49); it waits longer while large
 * messages are under way, while its own process is busy, and while it hears the peer on the other connection. So a slow connection that delivers stays open, and
 * one through which nothing passes any more, in either direction, does not.
 */
export interface Transport {
  /** Starts taking connections addressed to `identity`. The function returned stops it and closes them. */
  accept(identity: Identity, inbound: Inbound, settings: LinkSettings): () => void;
  dial(identity: Identity, peer: PeerAddress, events: DialEvents, settings: LinkSettings): Connection;
  /**
   * Serves peers' fetches of this node's snapshots, each over a connection of its own that is checked as their links are. The
   * function returned stops it and ends those under way. A transport without these two methods carries no snapshots.
   */
  serveSnapshots?: ((identity: Identity, serving: SnapshotServing, settings: LinkSettings) => () => void) | undefined;
  /** Fetches snapshots from `peers`. */
  snapshotSource?:
    | ((identity: Identity, peers: readonly PeerAddress[], settings: LinkSettings) => SnapshotSource)
    | undefined;
}

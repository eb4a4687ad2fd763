import type { Clock } from '../seams/clock.js';
import type { SnapshotServing, SnapshotSource } from '../seams/snapshot-source.js';
import type {
  Connection,
  DialEvents,
  Identity,
  Inbound,
  LinkSettings,
  PeerAddress,
  Transport,
} from '../seams/transport.js';
import { watchedSnapshots } from '../seams/watched-snapshots.js';

/** The messages that passed between this node and one peer. */
export interface Traffic {
  /** Messages that our own connection took. */
  sent: number;
  received: number;
  /** When our own connection ended last, monotonic ms. */
  closedAtMs: number;
}

interface SnapshotBytes {
  sent: number;
  received: number;
}

/** A transport that counts the messages of each peer and the bytes of snapshots on their way, and is otherwise the one that it is made of. */
export class CountedTransport implements Transport {
  readonly serveSnapshots: Transport['serveSnapshots'];
  readonly snapshotSource: Transport['snapshotSource'];
  /** Bytes of snapshots' files that peers sent, and that were handed over to be sent to them. */
  readonly snapshotBytes: SnapshotBytes = { sent: 0, received: 0 };
  readonly #inner: Transport;
  readonly #clock: Pick<Clock, 'now'>;
  readonly #traffic = new Map<string, Traffic>();

  constructor(inner: Transport, clock: Pick<Clock, 'now'>) {
    this.#inner = inner;
    const { snapshotBytes } = this;
    const serveSnapshots = inner.serveSnapshots?.bind(inner);
    const snapshotSource = inner.snapshotSource?.bind(inner);
    this.serveSnapshots =
      serveSnapshots &&
      ((identity, serving, settings) => serveSnapshots(identity, counted(serving, snapshotBytes), settings));
    this.snapshotSource =
      snapshotSource &&
      ((identity, peers, settings) => countedSource(snapshotSource(identity, peers, settings), snapshotBytes));
    this.#clock = clock;
  }

  with(peer: string): Traffic {
    const known = this.#traffic.get(peer);
    if (known !== undefined) return known;
    const traffic = { sent: 0, received: 0, closedAtMs: Number.NEGATIVE_INFINITY };
    this.#traffic.set(peer, traffic);
    return traffic;
  }

  accept(identity: Identity, inbound: Inbound, settings: LinkSettings): () => void {
    return this.#inner.accept(
      identity,
      {
        arrived: (from) => inbound.arrived(from),
        received: (from, message) => {
          this.with(from).received += 1;
          inbound.received(from, message);
        },
        heard: (from) => inbound.heard(from),
        refused: (reason) => inbound.refused(reason),
      },
      settings,
    );
  }

  dial(identity: Identity, peer: PeerAddress, events: DialEvents, settings: LinkSettings): Connection {
    const traffic = this.with(peer.id);
    const connection = this.#inner.dial(
      identity,
      peer,
      {
        opened: () => events.opened(),
        delayed: (reason) => events.delayed(reason),
        roomMade: () => events.roomMade(),
        closed: (reason, refused) => {
          traffic.closedAtMs = this.#clock.now();
          events.closed(reason, refused);
        },
      },
      settings,
    );
    return {
      send: (message) => {
        const isTaken = connection.send(message);
        if (isTaken) traffic.sent += 1;
        return isTaken;
      },
      peerArrived: () => connection.peerArrived(),
      close: () => connection.close(),
    };
  }
}

function counted({ store, refused }: SnapshotServing, bytes: SnapshotBytes): SnapshotServing {
  return {
    store: watchedSnapshots(store, (_snapshot, _error, piece) => {
      bytes.sent += piece?.length ?? 0;
    }),
    refused: (reason) => refused(reason),
  };
}

function countedSource(source: SnapshotSource, bytes: SnapshotBytes): SnapshotSource {
  return {
    fetch: (peer, wanted, from, receiver) =>
      source.fetch(peer, wanted, from, {
        begins: (all) => receiver.begins(all),
        chunk: (piece, taken) => {
          bytes.received += piece.length;
          receiver.chunk(piece, taken);
        },
        ended: (error) => receiver.ended(error),
      }),
  };
}

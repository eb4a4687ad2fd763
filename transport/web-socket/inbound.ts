import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import type { NodeId } from '../../src/raft/numbers-and-ids.js';
import type { Clock } from '../../src/seams/clock.js';
import type { Identity, Inbound } from '../../src/seams/transport.js';
import { MalformedBytes } from '../../src/wire/bytes.js';
import type { EntryEncoder } from '../../src/wire/records.js';
import { DuplicateNodeDetector } from '../duplicate-node-detector.js';
import { PEER_PROTOCOL, parsed, Reassembler } from '../fragments.js';
import { decodeMessage } from '../frames.js';
import type { Pulse, Watched } from '../pulse.js';
import type { Entrance, Guest, Host } from './entrance.js';
import { MALFORMED } from './entrance.js';

export interface ReceptionOptions {
  readonly entrance: Entrance;
  readonly clock: Clock;
  readonly pulse: Pulse;
  readonly maxMessageBytes: number;
  readonly entryEncoder: EntryEncoder;
}

/** A peer's pulse brings no more than this in a beat; what brings more is part of a message. */
const PULSE_BYTES = 64;

interface Accepted {
  readonly socket: WebSocket;
  readonly watched: Watched;
}

/** Takes the links that peers open to one node. */
export class Reception implements Host {
  readonly #peers = new Map<NodeId, Accepted>();
  readonly #duplicates = new DuplicateNodeDetector();

  constructor(
    readonly options: ReceptionOptions,
    readonly identity: Identity,
    readonly inbound: Inbound,
  ) {}

  open(): () => void {
    return this.options.entrance.open(PEER_PROTOCOL, this);
  }

  entered({ nodeId, socket, raw }: Guest): void {
    this.#replace(nodeId, socket, this.#listen(socket, raw, nodeId));
    this.inbound.arrived(nodeId);
  }

  refused(reason: string): void {
    this.inbound.refused(reason);
  }

  /** The same node again: its old connection is one whose end has not been noticed yet; or there are two of them. */
  #replace(nodeId: NodeId, socket: WebSocket, watched: Watched): void {
    const old = this.#peers.get(nodeId);
    this.#peers.set(nodeId, { socket, watched });
    const hasWorked = old?.socket.readyState === WebSocket.OPEN && old.watched.missed <= 0;
    old?.socket.terminate();
    if (hasWorked && this.#duplicates.replaced(nodeId, this.options.clock.now()))
      this.inbound.refused(
        `${nodeId} connects again and again while its last connection still works: do two processes run on copies of its data directory? That can lose writes: stop one, and never start it again`,
      );
  }

  #listen(socket: WebSocket, raw: Socket, from: NodeId): Watched {
    const reassembler = new Reassembler(this.options.maxMessageBytes);
    let hasReported = false;
    const watched = this.options.pulse.watch(from, {
      arrivedBytes: () => raw.bytesRead,
      // Nothing else is ever sent in this direction, so that no data delays it.
      isForBeatsOnly: true,
      isAccepted: true,
      beat: () => socket.pong(),
      passed: (bytes) => {
        if (!hasReported && bytes > PULSE_BYTES) this.inbound.heard(from);
        hasReported = false;
      },
      fellSilent: () => socket.terminate(),
    });
    socket.on('close', () => watched.stop());
    socket.on('message', (data, isBinary) => {
      this.options.pulse.awake();
      const message = isBinary
        ? parsed(() => {
            const whole = reassembler.take(data as Buffer);
            return whole === undefined ? undefined : decodeMessage(whole, this.options.entryEncoder);
          })
        : new MalformedBytes('a text frame');
      if (message instanceof MalformedBytes)
        return this.options.entrance.turnAway(
          socket,
          this,
          MALFORMED,
          `${from} sent what is no message: ${message.message}`,
        );
      if (message !== undefined) this.inbound.received(from, message);
      else if (!hasReported) this.inbound.heard(from);
      hasReported = true;
    });
    return watched;
  }
}

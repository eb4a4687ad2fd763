import type { WebSocket } from 'ws';
import type { NodeId } from '../../src/raft/numbers-and-ids.js';
import type { Clock } from '../../src/seams/clock.js';
import type { SnapshotServing } from '../../src/seams/snapshot-source.js';
import type { SnapshotFile } from '../../src/seams/snapshot-store.js';
import type { Identity } from '../../src/seams/transport.js';
import { MalformedBytes } from '../../src/wire/bytes.js';
import { FAREWELL_MS } from '../../src/wire/connections.js';
import { parsed } from '../fragments.js';
import type { Pulse, Watched } from '../pulse.js';
import type { ServedFetch } from '../served-fetches.js';
import { ServedFetches } from '../served-fetches.js';
import type { FetchAnswer } from '../snapshot-frames.js';
import { decodeFetchRequest, encodeFetchAnswer, SNAPSHOT_PROTOCOL, WHOLE } from '../snapshot-frames.js';
import type { Entrance, Guest, Host } from './entrance.js';
import { MALFORMED } from './entrance.js';

export interface SnapshotSenderOptions {
  readonly entrance: Entrance;
  readonly clock: Clock;
  readonly pulse: Pulse;
  /** Within this a peer that is welcome says what it wants. */
  readonly helloDeadlineMs: number;
}

/** Takes the connections on which peers fetch this node's snapshots. */
export class SnapshotSender implements Host {
  readonly #options: SnapshotSenderOptions;
  readonly identity: Identity;
  readonly #serving: SnapshotServing;
  readonly #fetches: ServedFetches;

  constructor(options: SnapshotSenderOptions, identity: Identity, serving: SnapshotServing) {
    this.#options = options;
    this.identity = identity;
    this.#serving = serving;
    this.#fetches = new ServedFetches(options.clock, serving);
  }

  open(): () => void {
    const close = this.#options.entrance.open(SNAPSHOT_PROTOCOL, this);
    return () => {
      close();
      this.#fetches.stop();
    };
  }

  entered({ nodeId, socket, raw }: Guest): void {
    const { clock, entrance, helloDeadlineMs } = this.#options;
    const deadline = clock.setTimeout(() => socket.terminate(), helloDeadlineMs);
    socket.on('close', () => clock.clearTimeout(deadline));
    socket.once('message', (data, isBinary) => {
      clock.clearTimeout(deadline);
      const request = isBinary ? parsed(() => decodeFetchRequest(data as Buffer)) : new MalformedBytes('a text frame');
      if (request instanceof MalformedBytes) {
        const why = `${nodeId} sent what is no request for a snapshot: ${request.message}`;
        return entrance.turnAway(socket, this, MALFORMED, why);
      }
      const sending = new Sending(this.#options, { nodeId, socket, raw }, this.#fetches);
      this.#fetches.begin(sending, request, (answer, file) => sending.begin(answer, file));
    });
  }

  refused(reason: string): void {
    this.#serving.refused(reason);
  }
}

/** So much is handed to the socket before it has passed on what it has; one piece more is read ahead. */
const MOST_UNSENT_BYTES = 512 * 1024;
/** A peer that lives, and takes nothing for so long, gives its place to others. */
const MOST_STALL_MS = 60_000;
const BINARY = { binary: true };

/** One connection on which a file is sent. */
class Sending implements ServedFetch {
  readonly peer: NodeId;
  readonly #clock: Clock;
  readonly #socket: WebSocket;
  readonly #fetches: ServedFetches;
  readonly #watched: Watched;
  #file: SnapshotFile | undefined;
  #unsent = 0;
  #isReading = false;
  #stall: unknown;
  #isOver = false;

  constructor({ clock, pulse }: SnapshotSenderOptions, { nodeId, socket, raw }: Guest, fetches: ServedFetches) {
    this.peer = nodeId;
    this.#clock = clock;
    this.#socket = socket;
    this.#fetches = fetches;
    this.#watched = pulse.watch(nodeId, {
      isAccepted: true,
      arrivedBytes: () => raw.bytesRead,
      beat: () => {
        if (raw.writableLength === 0) socket.pong();
      },
      isBackedUp: () => this.#unsent > 0,
      sentBytes: () => raw.bytesWritten,
      fellSilent: () => this.#end(),
    });
    this.#stall = clock.setTimeout(() => this.#end(), MOST_STALL_MS);
    socket.on('close', (code: number) => this.#end(code === WHOLE));
  }

  begin(answer: FetchAnswer, file: SnapshotFile | undefined): void {
    if (this.#isOver) return file === undefined ? undefined : this.#fetches.end(this, file, false);
    this.#socket.send(encodeFetchAnswer(answer));
    if (file === undefined) return this.#sayGoodbye();
    this.#file = file;
    this.#sendMore();
  }

  replaced(): void {
    this.#end();
  }

  #sendMore(): void {
    const file = this.#file;
    if (this.#isOver || this.#isReading || file === undefined || this.#unsent >= MOST_UNSENT_BYTES) return;
    this.#isReading = true;
    file.next((error, bytes) => {
      this.#isReading = false;
      if (this.#isOver || error !== undefined) return this.#end();
      if (bytes !== undefined) this.#send(bytes);
    });
  }

  #send(bytes: Uint8Array): void {
    this.#unsent += bytes.byteLength;
    this.#socket.send(bytes, BINARY, (error) => {
      if (error) return this.#end();
      this.#unsent -= bytes.byteLength;
      this.#clock.clearTimeout(this.#stall);
      if (this.#isOver) return;
      this.#stall = this.#clock.setTimeout(() => this.#end(), MOST_STALL_MS);
      this.#sendMore();
    });
    this.#sendMore();
  }

  /** The other end closes when it has what it was told; if it does not, it is cut. */
  #sayGoodbye(): void {
    this.#socket.close();
    this.#clock.setTimeout(() => this.#socket.terminate(), FAREWELL_MS);
  }

  #end(isWhole = false): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#clock.clearTimeout(this.#stall);
    this.#watched.stop();
    this.#socket.terminate();
    this.#fetches.end(this, this.#file, isWhole);
  }
}

import type { Clock } from '../../src/seams/clock.js';
import type { KnownPeers } from '../../src/seams/known-peers.js';
import type {
  FetchProblem,
  SnapshotFetch,
  SnapshotReceiver,
  SnapshotServing,
} from '../../src/seams/snapshot-source.js';
import type { SnapshotFile } from '../../src/seams/snapshot-store.js';
import type { Identity, LinkSettings, PeerAddress } from '../../src/seams/transport.js';
import { fetchError } from '../fetch-error.js';
import { checkIdentity } from '../hello.js';
import { ReceivedPieces } from '../received-pieces.js';
import type { ServedFetch, ServedFetches } from '../served-fetches.js';
import type { FetchAnswer, FetchRequest } from '../snapshot-frames.js';
import { FetchBeats } from './fetch-beats.js';
import type { MemoryHost } from './line.js';

/** What becomes of a fetch's connection once it has carried so many bytes of the file: it breaks, or carries nothing any more. */
export interface FetchEnd {
  readonly afterBytes: number;
  readonly how: 'cut' | 'hang';
}

/** The node that serves snapshots at an address. */
export interface ServingNode {
  readonly identity: Identity;
  readonly knownPeers: KnownPeers;
  readonly host: MemoryHost;
  readonly serving: SnapshotServing;
  readonly fetches: ServedFetches;
}

/** The network, as a fetch sees it. */
export interface FetchWires {
  readonly clock: Clock;
  servingAt(address: string): ServingNode | undefined;
  isCut(from: string, to: string): boolean;
  bytesPerSecond(): number;
  delayMs(): number;
  endOf(fetcher: string, server: string): FetchEnd | undefined;
  removed(fetch: MemoryFetch): void;
}

export interface FetchOptions {
  /** Address of the node that fetches. */
  readonly from: string;
  readonly identity: Identity;
  readonly peer: PeerAddress;
  readonly request: FetchRequest;
  readonly receiver: SnapshotReceiver;
  readonly settings: LinkSettings;
  readonly knownPeers: KnownPeers;
  readonly host: MemoryHost;
}

/** So much is on the wire at a time. */
const MOST_ON_WIRE_BYTES = 512 * 1024;

/** One fetch in the memory network: both ends of its connection. */
export class MemoryFetch implements SnapshotFetch, ServedFetch {
  readonly options: FetchOptions;
  readonly #wires: FetchWires;
  readonly #end: FetchEnd | undefined;
  readonly #beats: FetchBeats;
  #server: ServingNode | undefined;
  #file: SnapshotFile | undefined;
  #pieces: ReceivedPieces | undefined;
  #isReading = false;
  #carried = 0;
  #onWire = 0;
  #busyUntilMs = 0;
  #notBeforeMs = 0;
  /** What a cut holds back. */
  #stalled: (() => void)[] = [];
  #isHanging = false;
  /** Each end's own: one may be over before the other knows. */
  #isOver = false;
  #isServed = true;

  constructor(wires: FetchWires, options: FetchOptions) {
    this.#wires = wires;
    this.options = options;
    const { from, peer, host, settings } = options;
    this.#end = wires.endOf(from, peer.address);
    this.#beats = new FetchBeats(settings, {
      dialer: host,
      passes: (way) => !this.#isHanging && (way === 'there' ? !this.#isCutThere : !this.#isCutBack),
      silentAtDialer: (ms) => this.#fail('lost', `nothing was heard of it for ${ms} ms`),
      silentAtServer: () => this.#endServing(false),
    });
    this.#later(() => this.#reach());
  }

  get peer(): string {
    return this.options.identity.nodeId;
  }

  get #isCutThere(): boolean {
    return this.#wires.isCut(this.options.from, this.options.peer.address);
  }

  get #isCutBack(): boolean {
    return this.#wires.isCut(this.options.peer.address, this.options.from);
  }

  cancel(): void {
    if (this.#isOver) return;
    this.#letGo();
    this.#tellServer(false);
  }

  /** The server's end is closed: it stopped, or the same node has come again. */
  replaced(): void {
    this.#endServing(false);
  }

  /** The process that fetches is gone. */
  drop(): void {
    this.#letGo();
    this.#tellServer(false);
  }

  /** The process that serves is gone. */
  hangUp(): void {
    this.#isServed = false;
    this.#beats.stopServer();
    this.#tellDialer();
  }

  /** A cut may be over. */
  resume(): void {
    const stalled = this.#stalled;
    this.#stalled = [];
    for (const go of stalled) this.#later(go);
  }

  #later(run: () => void): void {
    const { clock } = this.#wires;
    const arrivalMs = Math.max(clock.now() + this.#wires.delayMs(), this.#notBeforeMs);
    this.#notBeforeMs = arrivalMs;
    clock.setTimeout(run, arrivalMs - clock.now());
  }

  #reach(): void {
    if (this.#isOver || this.#isHanging) return;
    if (this.#isCutThere || this.#isCutBack) return void this.#stalled.push(() => this.#reach());
    const server = this.#wires.servingAt(this.options.peer.address);
    if (server === undefined) return this.#fail('lost', 'connection refused');
    this.#server = server;
    this.#beats.start(server.host);
    const { identity: self, knownPeers, peer, request } = this.options;
    server.host.arrive(() => {
      checkIdentity({ self: server.identity, other: self, knownPeers: server.knownPeers }, (theirs) => {
        if (theirs !== undefined) {
          server.serving.refused(theirs);
          return this.#toDialer(() => this.#fail('refused', theirs));
        }
        this.#toDialer(() =>
          checkIdentity({ self, other: server.identity, expected: peer.id, knownPeers }, (ours) => {
            if (ours !== undefined) return this.#fail('refused', ours);
            if (this.#isOver) return;
            server.host.arrive(() => {
              if (this.#isServed) server.fetches.begin(this, request, (answer, file) => this.#answer(answer, file));
            });
          }),
        );
      });
    });
  }

  #answer(answer: FetchAnswer, file: SnapshotFile | undefined): void {
    if (!this.#isServed) return file === undefined ? undefined : this.#server?.fetches.end(this, file, false);
    this.#file = file;
    this.#toDialer(() => this.#begin(answer));
    if (file === undefined) this.#endServing(false);
    else this.#sendMore();
  }

  #begin(answer: FetchAnswer): void {
    if (answer.kind !== 'begins') return this.#fail(answer.kind, answer.reason);
    const { receiver, request } = this.options;
    this.#pieces = new ReceivedPieces({
      receiver,
      from: request.from,
      bytes: answer.bytes,
      whole: () => this.#whole(),
      wants: (more) => more && this.#server?.host.arrive(() => this.#sendMore()),
    });
    receiver.begins(answer.bytes);
    if (!this.#isOver) this.#pieces.start();
  }

  #sendMore(): void {
    const file = this.#file;
    if (!this.#isServed || this.#isHanging || this.#isReading || file === undefined) return;
    if (this.#onWire >= MOST_ON_WIRE_BYTES || this.#pieces?.isFull === true) return;
    this.#isReading = true;
    file.next((error, bytes) => {
      this.#isReading = false;
      if (error !== undefined) return this.#endServing(false);
      if (bytes !== undefined && this.#isServed) this.#carry(bytes);
    });
  }

  /** As much of a piece as the connection carries before its end. */
  #carry(bytes: Uint8Array): void {
    const { clock } = this.#wires;
    const left = (this.#end?.afterBytes ?? Number.POSITIVE_INFINITY) - this.#carried;
    const piece = bytes.slice(0, Math.min(left, bytes.byteLength));
    this.#carried += piece.byteLength;
    this.#onWire += piece.byteLength;
    this.#busyUntilMs =
      Math.max(clock.now(), this.#busyUntilMs) + (piece.byteLength / this.#wires.bytesPerSecond()) * 1_000;
    this.#notBeforeMs = Math.max(this.#notBeforeMs, this.#busyUntilMs);
    if (piece.byteLength > 0) this.#toDialer(() => this.#arrive(piece));
    if (piece.byteLength === bytes.byteLength) return this.#sendMore();
    if (this.#end?.how === 'cut') this.#endServing(false);
    else this.#toDialer(() => this.#hang());
  }

  #hang(): void {
    this.#isHanging = true;
  }

  #arrive(piece: Uint8Array): void {
    this.#onWire -= piece.byteLength;
    this.#pieces?.add(piece);
    this.#server?.host.arrive(() => this.#sendMore());
  }

  /** What the server sends arrives in order, and late where the network is cut. */
  #toDialer(run: () => void): void {
    const arrive = (): void => {
      if (this.#isHanging) return;
      if (this.#isCutBack) return void this.#stalled.push(arrive);
      this.options.host.arrive(() => {
        if (!this.#isOver) run();
      });
    };
    this.#later(arrive);
  }

  #whole(): void {
    if (this.#isOver) return;
    this.#letGo();
    this.#tellServer(true);
    this.options.receiver.ended();
  }

  #fail(problem: FetchProblem, reason: string): void {
    if (this.#isOver) return;
    this.#letGo();
    this.#tellServer(false);
    this.options.receiver.ended(fetchError(problem, `${this.options.peer.id}: ${reason}`));
  }

  #letGo(): void {
    this.#isOver = true;
    this.#pieces?.stop();
    this.#beats.stopDialer();
    if (!this.#isServed) this.#wires.removed(this);
  }

  /** The dialer's end is closed; the server learns of it where that can reach it, and otherwise by the silence. */
  #tellServer(isWhole: boolean): void {
    const server = this.#server;
    if (server === undefined) return this.#wires.removed(this);
    if (this.#isCutThere || this.#isHanging) return;
    this.#wires.clock.setTimeout(() => server.host.arrive(() => this.#endServing(isWhole)), this.#wires.delayMs());
  }

  #tellDialer(): void {
    this.#toDialer(() => this.#fail('lost', 'the connection was closed'));
  }

  #endServing(isWhole: boolean): void {
    if (!this.#isServed) return;
    this.#isServed = false;
    this.#beats.stopServer();
    this.#server?.fetches.end(this, this.#file, isWhole);
    if (this.#isOver) this.#wires.removed(this);
    else this.#tellDialer();
  }
}

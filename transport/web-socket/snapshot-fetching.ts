import type { Socket } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import type { LogPosition } from '../../src/raft/numbers-and-ids.js';
import type { FetchProblem, SnapshotFetch, SnapshotReceiver } from '../../src/seams/snapshot-source.js';
import type { Identity, PeerAddress } from '../../src/seams/transport.js';
import { MalformedBytes } from '../../src/wire/bytes.js';
import { FAREWELL_MS } from '../../src/wire/connections.js';
import { fetchError } from '../fetch-error.js';
import { MOST_FRAME_BYTES, parsed } from '../fragments.js';
import type { Pulse, Watched } from '../pulse.js';
import { ReceivedPieces } from '../received-pieces.js';
import type { FetchRequest } from '../snapshot-frames.js';
import { decodeFetchAnswer, encodeFetchRequest, SNAPSHOT_PROTOCOL, WHOLE } from '../snapshot-frames.js';
import type { GreetingOptions } from './greeting.js';
import { Greeting } from './greeting.js';

export interface FetchingOptions extends GreetingOptions {
  readonly pulse: Pulse;
}

/** A peer that lives, and sends nothing of the file for so long, is asked anew. */
const MOST_STALL_MS = 30_000;

/** One fetch: a connection on which a peer sends the file of a snapshot. */
export class SnapshotFetching implements SnapshotFetch {
  readonly #options: FetchingOptions;
  readonly #request: FetchRequest;
  readonly #receiver: SnapshotReceiver;
  readonly #greeting: Greeting;
  readonly #peer: PeerAddress;
  #socket: WebSocket | undefined;
  #watched: Watched | undefined;
  #pieces: ReceivedPieces | undefined;
  /** Beats in which nothing was read because the receiver has enough: they do not count as silence. */
  #pausedBeats = 0;
  #stall: unknown;
  #isOver = false;

  constructor(
    options: FetchingOptions,
    identity: Identity,
    peer: PeerAddress,
    { wanted, from }: { readonly wanted: LogPosition; readonly from: number },
    receiver: SnapshotReceiver,
  ) {
    this.#options = options;
    this.#peer = peer;
    this.#request = { wanted, from };
    this.#receiver = receiver;
    const greeted = { identity, peer, protocol: SNAPSHOT_PROTOCOL, maxPayload: MOST_FRAME_BYTES };
    this.#greeting = new Greeting(options, greeted, {
      delayed: () => undefined,
      opened: (socket, raw) => this.#ask(socket, raw),
      heard: (data, isBinary) => this.#hear(data, isBinary),
      closed: (reason, refused) => this.#fail(refused ? 'refused' : 'lost', reason),
    });
  }

  cancel(): void {
    this.#stop();
  }

  #ask(socket: WebSocket, raw: Socket): void {
    this.#socket = socket;
    this.#watched = this.#options.pulse.watch(this.#peer.id, {
      arrivedBytes: () => raw.bytesRead + this.#pausedBeats,
      beat: () => {
        if (this.#pieces?.isFull === true) this.#pausedBeats += 1;
        socket.pong();
      },
      fellSilent: (ms) => this.#fail('lost', `nothing was heard of it for ${ms} ms`),
    });
    this.#waitOn();
    socket.send(encodeFetchRequest(this.#request));
  }

  #hear(data: RawData, isBinary: boolean): void {
    if (this.#isOver) return;
    const { buffer, byteOffset, byteLength } = data as Buffer;
    const bytes = new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
    if (!isBinary) return this.#fail('lost', 'it answered with a text frame');
    if (this.#pieces === undefined) return this.#begin(bytes);
    this.#waitOn();
    if (!this.#pieces.add(bytes)) this.#fail('lost', 'it sent more than the file has');
  }

  #begin(bytes: Uint8Array): void {
    const answer = parsed(() => decodeFetchAnswer(bytes));
    if (answer instanceof MalformedBytes) return this.#fail('lost', `it answered nonsense: ${answer.message}`);
    if (answer.kind !== 'begins') return this.#fail(answer.kind, answer.reason);
    const { from } = this.#request;
    if (from > answer.bytes) return this.#fail('gone', `its file has ${answer.bytes} bytes, fewer than there are here`);
    this.#pieces = new ReceivedPieces({
      receiver: this.#receiver,
      from,
      bytes: answer.bytes,
      whole: () => this.#end(),
      wants: (more) => this.#read(more),
    });
    this.#receiver.begins(answer.bytes);
    if (!this.#isOver) this.#pieces.start();
  }

  /** What is not read fills the buffers of both kernels, and then the peer waits. */
  #read(more: boolean): void {
    if (more) this.#waitOn();
    else this.#options.clock.clearTimeout(this.#stall);
    if (more) this.#socket?.resume();
    else this.#socket?.pause();
  }

  /** Something came, or is waited for anew. */
  #waitOn(): void {
    const { clock } = this.#options;
    clock.clearTimeout(this.#stall);
    const passed = (): void => this.#fail('lost', `it sent nothing of the file for ${MOST_STALL_MS} ms`);
    this.#stall = clock.setTimeout(() => clock.defer(passed), MOST_STALL_MS);
  }

  /** The peer may let go of the file. */
  #end(): void {
    if (this.#isOver) return;
    this.#letGo();
    this.#socket?.resume();
    this.#socket?.close(WHOLE);
    this.#options.clock.setTimeout(() => this.#greeting.end(), FAREWELL_MS);
    this.#receiver.ended();
  }

  #fail(problem: FetchProblem, reason: string): void {
    if (this.#isOver) return;
    this.#stop();
    this.#receiver.ended(fetchError(problem, `${this.#peer.id}: ${reason}`));
  }

  #stop(): void {
    this.#letGo();
    this.#greeting.end();
  }

  #letGo(): void {
    this.#isOver = true;
    this.#options.clock.clearTimeout(this.#stall);
    this.#pieces?.stop();
    this.#watched?.stop();
  }
}

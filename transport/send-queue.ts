import type { PeerMessage } from '../src/raft/messages.js';
import { mergedAcceptance } from '../src/raft/messages.js';
import type { EntryEncoder } from '../src/wire/records.js';
import { framesOf } from './fragments.js';
import { encodeMessage } from './frames.js';

/** From so many waiting bytes on, what may be refused is refused. One message more than that may wait. */
export const MOST_WAITING_BYTES = 2 * 1024 * 1024;
/** When so few wait again, there is room. */
const ROOM_BYTES = MOST_WAITING_BYTES / 2;
/** More than this is never kept for a peer that takes nothing: the connection is to be ended. */
const MOST_KEPT_BYTES = 64 * 1024 * 1024;

/** A message that waits, or what is left of the one that is being sent. Small ones are encoded when they leave. */
interface QueuedMessage {
  message: PeerMessage | null;
  readonly frames: Iterator<Uint8Array> | null;
  bytes: number;
}

const GONE: QueuedMessage = { message: null, frames: null, bytes: 0 };

/** A small message takes about so much; the real size is known when it is encoded. */
const SMALL_BYTES = 64;

/**
 * Messages that wait to leave on one connection, in order and bounded in bytes. The connection puts on the wire what `take` gives.
 * Heartbeats and vote requests that have not left give way to newer ones, and replies that wait at the end are merged,
 * because the newer says all that the older said: however long a peer takes nothing, they take no more memory.
 */
export class SendQueue {
  readonly #entryEncoder: EntryEncoder;
  #waiting: QueuedMessage[] = [];
  #first = 0;
  #bytes = 0;
  #hasRefused = false;
  #heartbeat: QueuedMessage | undefined;
  #voteRequest: QueuedMessage | undefined;

  constructor(entryEncoder: EntryEncoder) {
    this.#entryEncoder = entryEncoder;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#first === this.#waiting.length;
  }

  /** Too much waits that could not be refused. */
  get isOverfull(): boolean {
    return this.#bytes > MOST_KEPT_BYTES;
  }

  /** Takes the message as the last one; false where it is refused. */
  offer(message: PeerMessage): boolean {
    if (isRefusable(message)) {
      if (this.#hasRefused || this.#bytes >= MOST_WAITING_BYTES) {
        this.#hasRefused = true;
        return false;
      }
    }
    if (!carriesBytes(message)) this.#addSmall(message);
    else {
      const bytes = encodeMessage(message, this.#entryEncoder);
      this.#push({ message: null, frames: framesOf(bytes)[Symbol.iterator](), bytes: bytes.byteLength });
    }
    return true;
  }

  /** The next frame to put on the wire; undefined when nothing waits. */
  take(): Uint8Array | undefined {
    for (let next = this.#waiting[this.#first]; next !== undefined; next = this.#waiting[this.#first]) {
      if (next.frames === null) {
        const { message } = next;
        this.#drop(next);
        // One that gave way to a newer one.
        if (message === null) continue;
        return encodeMessage(message, this.#entryEncoder);
      }
      const { value, done } = next.frames.next();
      if (done !== true) {
        const bytes = Math.min(next.bytes, (value as Uint8Array).byteLength);
        next.bytes -= bytes;
        this.#bytes -= bytes;
        return value as Uint8Array;
      }
      this.#drop(next);
    }
    return undefined;
  }

  /** Whether something was refused and there is room again now. True once for all that was refused. */
  makesRoom(): boolean {
    if (!this.#hasRefused || this.#bytes > ROOM_BYTES) return false;
    this.#hasRefused = false;
    return true;
  }

  #addSmall(message: PeerMessage): void {
    const last = this.#waiting.at(-1);
    const isLast = (waiting: QueuedMessage | undefined): waiting is QueuedMessage =>
      waiting !== undefined && waiting === last;
    if (message.kind === 'append') {
      if (isLast(this.#heartbeat)) this.#heartbeat.message = message;
      else this.#heartbeat = this.#inPlaceOf(this.#heartbeat, message);
    } else if (message.kind === 'vote-request') {
      if (isLast(this.#voteRequest)) this.#voteRequest.message = message;
      else this.#voteRequest = this.#inPlaceOf(this.#voteRequest, message);
    } else {
      const before = this.isEmpty ? null : (last?.message ?? null);
      const merged = before === null ? undefined : mergedAcceptance(before, message);
      if (merged !== undefined) (last as QueuedMessage).message = merged;
      else this.#push({ message, frames: null, bytes: SMALL_BYTES });
    }
  }

  /** Behind everything, so that the order stays: what waits in between came before the newer message. */
  #inPlaceOf(older: QueuedMessage | undefined, message: PeerMessage): QueuedMessage {
    if (older !== undefined) older.message = null;
    const waiting = { message, frames: null, bytes: SMALL_BYTES };
    this.#push(waiting);
    return waiting;
  }

  #push(waiting: QueuedMessage): void {
    this.#waiting.push(waiting);
    this.#bytes += waiting.bytes;
  }

  #drop(waiting: QueuedMessage): void {
    this.#bytes -= waiting.bytes;
    if (waiting === this.#heartbeat) this.#heartbeat = undefined;
    if (waiting === this.#voteRequest) this.#voteRequest = undefined;
    // Let go of at once: a line that always has more to carry would keep all that it ever carried.
    this.#waiting[this.#first] = GONE;
    this.#first += 1;
    if (this.#first * 2 < this.#waiting.length || (this.#first < 1_024 && !this.isEmpty)) return;
    this.#waiting = this.#waiting.slice(this.#first);
    this.#first = 0;
  }
}

/** Whether the message may be refused: its sender can send it again later, or fail the call that it belongs to. */
function isRefusable(message: PeerMessage): boolean {
  if (message.kind === 'append') return message.entries.length > 0;
  return message.kind === 'propose-request' || message.kind === 'read-request';
}

function carriesBytes(message: PeerMessage): boolean {
  if (message.kind === 'append') return message.entries.length > 0;
  return message.kind === 'propose-request' || message.kind === 'propose-reply';
}

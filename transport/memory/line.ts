import type { PeerMessage } from '../../src/raft/messages.js';
import { hasTerm } from '../../src/raft/messages.js';
import type { Clock } from '../../src/seams/clock.js';
import type { DialEvents, Identity, Inbound } from '../../src/seams/transport.js';
import { MalformedBytes } from '../../src/wire/bytes.js';
import type { EntryEncoder } from '../../src/wire/records.js';
import { isPart, Reassembler } from '../fragments.js';
import { decodeMessage } from '../frames.js';
import type { Pulsed, Watched } from '../pulse.js';
import { SendQueue } from '../send-queue.js';

/** The process at one end, with its own time: where it is stopped, its timers do not run and it reads nothing. */
export interface MemoryHost extends Clock {
  /** Runs what comes in from outside when the process reads it. */
  arrive(callback: () => void): void;
}

/** The node that takes connections at an address. */
export interface Listener {
  readonly identity: Identity;
  readonly inbound: Inbound;
  readonly host: MemoryHost;
  readonly entryEncoder: EntryEncoder;
}

/** The network that a line is part of, as the line sees it. */
export interface Wires {
  readonly clock: Clock;
  isCut(from: string, to: string): boolean;
  bytesPerSecond(): number;
  bufferBytes(): number;
  /** Draws the fate of a message with a term: how late each of its copies is, and whether others may overtake it. */
  fates(): readonly Fate[];
  delayMs(): number;
  drops(from: string, to: string, message: PeerMessage): boolean;
  removed(line: Line): void;
}

export interface Fate {
  readonly delayMs: number;
  readonly inOrder: boolean;
}

export interface LineEnds {
  readonly from: string;
  readonly to: string;
  readonly sender: Identity;
  readonly dialer: MemoryHost;
  readonly events: DialEvents;
  /** The dialing node's. */
  readonly entryEncoder: EntryEncoder;
}

const MOST_MESSAGE_BYTES = 64 * 1024 * 1024;
/** A pulse adds one byte in each beat; what adds more is part of a message. */
const PULSE_BYTES = 64;

/** One connection: a queue at its sender, a wire of some speed that holds some bytes, and a reader. */
export class Line {
  state: 'dialing' | 'open' | 'closed' = 'dialing';
  readonly ends: LineEnds;
  readonly #wires: Wires;
  readonly #queue: SendQueue;
  readonly #reassembler = new Reassembler(MOST_MESSAGE_BYTES);
  #receiver: Listener | undefined;
  /** At the receiver's end; what arrives after that is for nobody. */
  #isTaken = false;
  #bytesOnWire = 0;
  /** The wire is busy until then. */
  #busyUntilMs = 0;
  /** Nothing in order arrives before. */
  #notBeforeMs = 0;
  /** Deliveries that a cut holds back. */
  #stalled: (() => void)[] = [];
  #arrivedAtDialer = 0;
  #arrivedAtReceiver = 0;
  #hasReported = false;
  #watches: Watched[] = [];

  constructor(wires: Wires, ends: LineEnds) {
    this.#wires = wires;
    this.ends = ends;
    this.#queue = new SendQueue(ends.entryEncoder);
  }

  get isCutOff(): boolean {
    const { from, to } = this.ends;
    return this.#wires.isCut(from, to);
  }

  /** Whether a message has yet to pass in full. One that was begun keeps its pace, also where the wire has become faster. */
  get isCarrying(): boolean {
    return this.#bytesOnWire > 0 && this.#wires.clock.now() < this.#busyUntilMs;
  }

  get #isCutBack(): boolean {
    const { from, to } = this.ends;
    return this.#wires.isCut(to, from);
  }

  /** Both have agreed to belong together. */
  open(receiver: Listener, watch: (dialer: Pulsed, receiver: Pulsed) => Watched[]): void {
    this.state = 'open';
    this.#isTaken = true;
    this.#receiver = receiver;
    const { dialer, events, sender } = this.ends;
    this.#watches = watch(
      {
        arrivedBytes: () => this.#arrivedAtDialer,
        beat: () => {
          if (this.isCutOff) return;
          this.#arrivedAtReceiver += this.isCarrying ? PULSE_BYTES + 1 : 1;
        },
        fellSilent: (ms) => this.close(`nothing was heard of it for ${ms} ms`, false, true),
      },
      {
        arrivedBytes: () => this.#arrivedAtReceiver,
        beat: () => {
          if (!this.#isCutBack) this.#arrivedAtDialer += 1;
        },
        passed: (bytes) => {
          if (!this.#hasReported && bytes > PULSE_BYTES) receiver.inbound.heard(sender.nodeId);
          this.#hasReported = false;
        },
        fellSilent: () => this.hangUp('the connection was closed'),
      },
    );
    dialer.arrive(() => {
      if (this.state === 'open') events.opened();
    });
    receiver.host.arrive(() => receiver.inbound.arrived(sender.nodeId));
  }

  send(message: PeerMessage): boolean {
    if (this.state !== 'open') return false;
    const { from, to } = this.ends;
    if (this.#wires.drops(from, to, message)) return true;
    const isTaken = this.#queue.offer(message);
    this.#pump();
    if (this.#queue.isOverfull) this.close('it takes nothing of what is sent to it', false, true);
    return isTaken;
  }

  /** A cut may be over: what it held up goes on. */
  resume(): void {
    if (this.isCutOff) return;
    const stalled = this.#stalled;
    this.#stalled = [];
    for (const arrive of stalled) this.#wires.clock.setTimeout(arrive, this.#wires.delayMs());
    this.#pump();
  }

  /** The receiver's end is closed; the dialer learns of it where that can reach it. */
  hangUp(reason: string): void {
    this.#isTaken = false;
    this.#watches[1]?.stop();
    if (this.#isCutBack) return;
    this.#wires.clock.setTimeout(() => this.close(reason, false), this.#wires.delayMs());
  }

  close(reason: string, refused: boolean, givenUp = false): void {
    if (this.state === 'closed') return;
    this.drop();
    const { dialer, events } = this.ends;
    this.#wires.clock.defer(() => dialer.arrive(() => events.closed(reason, refused, givenUp)));
  }

  /** The dialer's end is closed. What is on its way already arrives, unless the receiver has closed its own. */
  drop(): void {
    this.state = 'closed';
    this.#wires.removed(this);
    for (const watched of this.#watches) watched.stop();
  }

  /** Sends what is queued for as long as the wire takes it. */
  #pump(): void {
    while (this.state === 'open' && !this.isCutOff && this.#bytesOnWire < this.#wires.bufferBytes()) {
      const frame = this.#queue.take();
      if (frame === undefined) break;
      this.#carry(frame);
    }
    if (!this.#queue.makesRoom()) return;
    const { dialer, events } = this.ends;
    this.#wires.clock.defer(() => dialer.arrive(() => this.state === 'open' && events.roomMade()));
  }

  #carry(frame: Uint8Array): void {
    const { clock } = this.#wires;
    const startMs = Math.max(clock.now(), this.#busyUntilMs);
    this.#busyUntilMs = startMs + (frame.byteLength / this.#wires.bytesPerSecond()) * 1_000;
    const message = isPart(frame) ? undefined : this.#decoded(frame);
    if (message instanceof MalformedBytes) return;
    const calm = { delayMs: this.#wires.delayMs(), inOrder: true };
    const fates = message !== undefined && hasTerm(message) ? this.#wires.fates() : [calm];
    this.#bytesOnWire += frame.byteLength;
    let left = fates.length;
    const gone = (): void => {
      left -= 1;
      if (left <= 0) this.#bytesOnWire -= frame.byteLength;
    };
    if (fates.length === 0) gone();
    for (const { delayMs, inOrder } of fates) {
      const arrivalMs = Math.max(this.#busyUntilMs + delayMs, inOrder ? this.#notBeforeMs : 0);
      if (inOrder) this.#notBeforeMs = arrivalMs;
      clock.setTimeout(() => this.#arrive(frame, gone), arrivalMs - clock.now());
    }
  }

  #arrive(frame: Uint8Array, gone: () => void): void {
    if (this.isCutOff) {
      this.#stalled.push(() => this.#arrive(frame, gone));
      return;
    }
    const receiver = this.#receiver;
    receiver?.host.arrive(() => {
      gone();
      this.#arrivedAtReceiver += frame.byteLength;
      if (this.#isTaken) this.#deliver(receiver, frame);
      this.#pump();
    });
  }

  #deliver({ inbound, entryEncoder }: Listener, frame: Uint8Array): void {
    const { nodeId } = this.ends.sender;
    const whole = this.#reassembler.take(frame);
    const message = whole === undefined ? undefined : this.#decoded(whole, entryEncoder);
    if (message instanceof MalformedBytes) return;
    if (message !== undefined) inbound.received(nodeId, message);
    else if (!this.#hasReported) inbound.heard(nodeId);
    this.#hasReported = true;
  }

  #decoded(bytes: Uint8Array, entryEncoder?: EntryEncoder): PeerMessage | MalformedBytes {
    try {
      return decodeMessage(bytes, entryEncoder);
    } catch (error) {
      if (!(error instanceof MalformedBytes)) throw error;
      this.#receiver?.inbound.refused(`${this.ends.sender.nodeId} sent a malformed frame: ${error.message}`);
      this.close(`malformed frame: ${error.message}`, false);
      return error;
    }
  }
}

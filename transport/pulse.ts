import type { NodeId } from '../src/raft/numbers-and-ids.js';
import type { Clock } from '../src/seams/clock.js';
import { everyInterval, tickWithArrival } from '../src/seams/ticker.js';
import type { LinkSettings } from '../src/seams/transport.js';

/** One end of a connection, as its pulse sees it. */
export interface Pulsed {
  /** How many bytes have arrived so far. */
  arrivedBytes(): number;
  /** A beat is due: puts something on the wire, unless something was put there since the last one. */
  beat(): void;
  /** Nothing but beats is ever sent here. While the peer is sent something on another connection, a few of them are enough. */
  readonly isForBeatsOnly?: boolean;
  /** The other end learns a whole way later that this connection is open, and says something only then. */
  readonly isAccepted?: boolean;
  /** Whether the other end has more to take than it takes at the moment: large messages may keep it busy. */
  isBackedUp?(): boolean;
  /** How many bytes were handed to the network so far. */
  sentBytes?(): number;
  /** A beat has passed, in which `bytes` arrived. */
  passed?(bytes: number): void;
  /** Nothing arrived for `ms`, as many beats as a peer may miss: the connection is to be ended. */
  fellSilent(ms: number): void;
}

export interface Watched {
  /** Beats in a row in which nothing arrived; -1 before the first whole one. */
  readonly missed: number;
  stop(): void;
}

/** With one, a connection would end whenever two clocks beat a little apart. */
const LEAST_MISSED = 2;
/** A beat with this many bytes has parts of large messages in it, and is not only a pulse. */
const BULK_BYTES = 4_096;
/** A peer that was sent this many bytes since it was last heard may be busy with them, though all of them have left. */
const LARGE_MESSAGE_BYTES = 256 * 1024;
/**
 * While large messages come in, the wait is longer: where a line drops a packet because its buffer is full, nothing is read
 * until that packet has come again, one round trip through the full buffer later.
 */
const BULK_FACTOR = 4;
/** A beat comes late where so many intervals have passed since the last one. */
const LATE = 1.75;
/** A beat that comes late shows that this machine is busy, and so may its neighbours be: for so many beats the wait is longer. */
const BUSY_BEATS = 20;
/** A connection may be silent for longer than its peer: what was dropped may be its own packets. */
const ALONE_FACTOR = 8;
/** A connection on which nothing but beats is sent has every fourth, while its peer hears of this node on another. */
const SELDOM = 4;
/** So long the first byte may take on a connection that was accepted: over a long way the welcome goes there, and only then something comes back. */
const FIRST_BYTE_MS = 2_000;

/**
 * The pulse of all connections of one transport: one timer for all of them, shared with what else ticks at this interval. In each
 * heartbeat interval every peer is sent something, and the beats are counted in which nothing arrived, on each connection and
 * from each peer. Who is heard on one of the two connections of a pair is not cut off, so the other is given time.
 *
 * Beats are counted, not milliseconds: when this process stands still, it counts none, however long that was. And it reads
 * its sockets (one turn of the event loop) before it judges, because after a pause timers run before what has arrived is read.
 */
export class Pulse {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #mostMissed: number;
  readonly #ends = new Set<End>();
  /** For so many beats more this machine counts as busy. */
  #busyBeats = 0;
  /** Beats in a row in which nothing arrived of a peer on any connection. */
  readonly #silences = new Map<NodeId, number>();
  #beatAtMs = 0;
  #stopTicking: () => void = () => undefined;

  constructor(clock: Clock, { HEARTBEAT_INTERVAL, MAX_MISSED_HEARTBEATS }: LinkSettings) {
    this.#clock = clock;
    this.#intervalMs = HEARTBEAT_INTERVAL;
    this.#mostMissed = Math.max(LEAST_MISSED, MAX_MISSED_HEARTBEATS);
  }

  watch(peer: NodeId, pulsed: Pulsed): Watched {
    const end = new End(peer, pulsed, () => this.#stop(end));
    this.#ends.add(end);
    this.#silences.delete(peer);
    if (this.#ends.size === 1) this.#start();
    return end;
  }

  /** Something has arrived: a beat that is about due comes now, because an idle process spends most of its time on waking. */
  awake(): void {
    tickWithArrival(this.#clock, this.#intervalMs);
  }

  #stop(end: End): void {
    if (this.#ends.delete(end) && this.#ends.size === 0) this.#stopTicking();
  }

  #start(): void {
    this.#beatAtMs = this.#clock.now();
    this.#stopTicking = everyInterval(this.#clock, this.#intervalMs, () => this.#beat());
  }

  #beat(): void {
    const nowMs = this.#clock.now();
    const isLate = nowMs - this.#beatAtMs > LATE * this.#intervalMs;
    this.#beatAtMs = nowMs;
    this.#busyBeats = isLate ? BUSY_BEATS : Math.max(0, this.#busyBeats - 1);
    const told = new Set<NodeId>();
    for (const end of this.#ends) {
      if (end.pulsed.isForBeatsOnly === true) continue;
      end.pulsed.beat();
      told.add(end.peer);
    }
    for (const end of this.#ends) if (end.pulsed.isForBeatsOnly === true) end.beatSeldom(told.has(end.peer));
    this.#clock.defer(() => this.#judge());
  }

  #judge(): void {
    const heard = new Map<NodeId, boolean>();
    const busy = new Set<NodeId>();
    for (const end of this.#ends) {
      const hears = end.look();
      heard.set(end.peer, hears || heard.get(end.peer) === true);
      if (end.isBulky) busy.add(end.peer);
    }
    for (const [peer, hears] of heard) {
      if (hears) this.#silences.set(peer, 0);
      else this.#silences.set(peer, (this.#silences.get(peer) ?? -1) + 1);
    }
    for (const end of this.#ends) {
      const isPatient = this.#busyBeats > 0 || busy.has(end.peer);
      const most = this.#mostMissed * (isPatient ? BULK_FACTOR : 1);
      if (this.#isSilent(end, most)) end.pulsed.fellSilent(end.missed * this.#intervalMs);
      else end.pulsed.passed?.(end.bytes);
    }
  }

  #isSilent({ peer, missed, hasHeard }: End, most: number): boolean {
    if (missed < most || (!hasHeard && missed * this.#intervalMs < FIRST_BYTE_MS)) return false;
    return (this.#silences.get(peer) ?? 0) >= this.#mostMissed || missed >= this.#mostMissed * ALONE_FACTOR;
  }
}

class End implements Watched {
  readonly peer: NodeId;
  readonly pulsed: Pulsed;
  readonly stop: () => void;
  /** Bytes that arrived in the last beat. */
  bytes = 0;
  /** Whether much arrived in the last beat in which something did. */
  #wasBulk = false;
  #arrived: number;
  /** Bytes that had been sent by the last look, and by the look before something arrived last. */
  #sent: number;
  #sentWhenHeard: number;
  /** Whether anything has arrived, or should have. */
  hasHeard: boolean;
  /** The first beat is no whole one. */
  #missed = -1;
  /** Beats in a row that were not sent. */
  #unsent = 0;

  constructor(peer: NodeId, pulsed: Pulsed, stop: () => void) {
    this.peer = peer;
    this.pulsed = pulsed;
    this.stop = stop;
    this.hasHeard = pulsed.isAccepted !== true;
    this.#arrived = pulsed.arrivedBytes();
    this.#sent = pulsed.sentBytes?.() ?? 0;
    this.#sentWhenHeard = this.#sent;
  }

  /** Whether large messages travel here, or were just sent: whoever works on them may be silent for longer, on all connections. */
  get isBulky(): boolean {
    const isGivenMuch = this.#sent - this.#sentWhenHeard >= LARGE_MESSAGE_BYTES;
    return this.#wasBulk || isGivenMuch || this.pulsed.isBackedUp?.() === true;
  }

  get missed(): number {
    return this.#missed;
  }

  /** One beat of a few, where the peer is told elsewhere that this node lives. */
  beatSeldom(isToldElsewhere: boolean): void {
    this.#unsent += 1;
    if (isToldElsewhere && this.#unsent < SELDOM) return;
    this.#unsent = 0;
    this.pulsed.beat();
  }

  /** Whether something arrived since the last look. */
  look(): boolean {
    const arrived = this.pulsed.arrivedBytes();
    const sentBefore = this.#sent;
    this.#sent = this.pulsed.sentBytes?.() ?? 0;
    this.bytes = arrived - this.#arrived;
    this.#arrived = arrived;
    if (this.bytes <= 0) {
      this.#missed += 1;
      return false;
    }
    this.#missed = 0;
    this.hasHeard = true;
    // Bytes that left in the beat before may lie unread at the peer behind what it has just said.
    this.#sentWhenHeard = sentBefore;
    this.#wasBulk = this.bytes >= BULK_BYTES;
    return true;
  }
}

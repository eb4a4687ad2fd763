import type { ClientReply, ClientRequest, LeaderNews } from '../wire/client-frames.js';
import { CLIENT_PROTOCOLS, decodeNodeFrame, encodeClientFrame } from '../wire/client-frames.js';
import { CLIENT_PATH, FAREWELL_MS } from '../wire/connections.js';
import type { ClientSocket, Platform } from './platform.js';

export interface ConnectionOptions {
  /** host:port */
  readonly address: string;
  /** The name of the service that the node is to have. */
  readonly service: string;
  readonly platform: Platform;
}

export interface ConnectionEvents {
  /** The node has told who leads: from now on it may be asked. */
  readonly opened: () => void;
  readonly news: (news: LeaderNews) => void;
  readonly replied: (replies: readonly ClientReply[]) => void;
  /** It was open, and is not any more: what was asked and not answered will not be answered here. */
  readonly lost: (why: string) => void;
  /** It could not be opened. It will be dialed again. */
  readonly failed: () => void;
}

const FIRST_PAUSE_MS = 20;
const LONGEST_PAUSE_MS = 1_000;
/** Three round trips: TCP, the upgrade, the greeting. Every second dial in a row may take as long as a very long way needs. */
const OPEN_WITHIN_MS = [3_000, 12_000] as const;
/** After it was found to be silent, before it is dialed anew: a path on which packets vanish may never say that it has ended. */
const SILENT_MS = 10_000;
/** At one node. */
const MOST_UNDER_WAY = 4_096;
const MOST_BYTES_UNDER_WAY = 16 * 1024 * 1024;
/** How long the other side may take to say goodbye: a node that hangs never does. */

/** A connection to one node, dialed again, with growing pauses, for as long as it is wanted. */
export class Connection {
  readonly address: string;
  /** Why the last attempt failed. */
  problem = 'not connected yet';
  readonly #service: string;
  readonly #platform: Platform;
  readonly #events: ConnectionEvents;
  #socket: ClientSocket | undefined;
  #isOpen = false;
  #isWanted = true;
  #failures = 0;
  #underWay = 0;
  #bytesUnderWay = 0;
  #heard = 0;
  #isSilent = false;
  /** Dials in a row that got no answer in time. */
  #late = 0;
  #timer: unknown;
  #forgetLookup: () => void = () => undefined;

  constructor({ address, service, platform }: ConnectionOptions, events: ConnectionEvents) {
    this.address = address;
    this.#service = service;
    this.#platform = platform;
    this.#events = events;
    this.#dial();
  }

  /** Calls that were sent here and are not answered. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Further calls wait: a burst must not take all of a node's time. One alone always has room. */
  hasRoomFor(bytes: number): boolean {
    if (this.#underWay === 0) return true;
    return this.#underWay < MOST_UNDER_WAY && this.#bytesUnderWay + bytes <= MOST_BYTES_UNDER_WAY;
  }

  take(bytes: number): void {
    this.#underWay += 1;
    this.#bytesUnderWay += bytes;
  }

  give(bytes: number): void {
    this.#underWay -= 1;
    this.#bytesUnderWay -= bytes;
  }

  /** Whether it could not be opened when it was dialed last. */
  get hasFailed(): boolean {
    return this.#failures > 0;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** How many messages have come on it. */
  get heard(): number {
    return this.#heard;
  }

  /** Whether a call ended without an answer, and nothing at all has come since it was sent: the node may be paused, or gone. */
  get isSilent(): boolean {
    return this.#isSilent;
  }

  /** A call that was sent when `heardBefore` messages had come is not answered in time. True where that tells that the node is silent. */
  noteNoAnswer(heardBefore: number): boolean {
    if (!this.#isOpen || this.#isSilent || this.#heard > heardBefore) return false;
    this.#isSilent = true;
    this.#hangUpUnlessMoved(this.#moved());
    return true;
  }

  /** A large message takes its time on a slow line, and all messages behind it wait: a connection on which bytes move is not given up (P50). */
  #hangUpUnlessMoved(before: Moved): void {
    this.#timer = this.#platform.setTimeout(() => {
      const now = this.#moved();
      if (now.unsent < before.unsent || now.read > before.read) this.#hangUpUnlessMoved(now);
      else this.#hangUp('it says nothing');
    }, SILENT_MS);
  }

  #moved(): Moved {
    return { unsent: this.#socket?.bufferedAmount ?? 0, read: this.#socket?.bytesRead ?? 0 };
  }

  send(requests: readonly ClientRequest[]): void {
    this.#socket?.send(encodeClientFrame({ kind: 'requests', requests }));
  }

  close(): void {
    this.#isWanted = false;
    this.#platform.clearTimeout(this.#timer);
    this.#forgetLookup();
    this.#hangUp('closed by its user');
  }

  /** A name that is slow to look up takes no time from what a connection has to be opened. */
  #dial(): void {
    const { resolve } = this.#platform;
    if (resolve === undefined) return this.#open();
    const name = new URL(`ws://${this.address}`).hostname.replace(/^\[|\]$/g, '');
    let hasEnded = false;
    const endWith = (go: () => void): void => {
      hasEnded = true;
      go();
    };
    this.#forgetLookup = resolve(name, {
      found: () => endWith(() => this.#open()),
      failed: (reason) => endWith(() => this.#over(reason)),
      delayed: (reason) => {
        this.problem = reason;
      },
    });
    if (!hasEnded) this.problem = `looking up ${name} (DNS) has not ended yet`;
  }

  #open(): void {
    let socket: ClientSocket;
    try {
      socket = this.#platform.openSocket(`ws://${this.address}${CLIENT_PATH}`, CLIENT_PROTOCOLS);
    } catch (error) {
      return this.#over(error instanceof Error ? error.message : String(error));
    }
    socket.binaryType = 'arraybuffer';
    socket.onopen = () => socket.send(encodeClientFrame({ kind: 'hello', service: this.#service }));
    socket.onmessage = ({ data }) => this.#hear(data);
    // The first error has the reason; those after it only say that the socket was given up.
    let hasFailed = false;
    socket.onerror = (event: FailedOpening) => {
      if (!hasFailed) this.problem = reasonOf(event);
      hasFailed = true;
    };
    socket.onclose = ({ reason }) => this.#over(reason === '' ? this.problem : reason);
    this.#socket = socket;
    const withinMs = OPEN_WITHIN_MS[this.#late % 2 === 0 ? 0 : 1];
    this.#timer = this.#platform.setTimeout(() => {
      this.#late += 1;
      this.#hangUp('no answer in time');
    }, withinMs);
  }

  #hear(data: unknown): void {
    this.#heard += 1;
    if (this.#isSilent) this.#platform.clearTimeout(this.#timer);
    this.#isSilent = false;
    if (!(data instanceof ArrayBuffer)) return this.#hangUp('it answered nonsense');
    let frame: ReturnType<typeof decodeNodeFrame>;
    try {
      frame = decodeNodeFrame(new Uint8Array(data));
    } catch {
      return this.#hangUp('it answered nonsense');
    }
    if (frame.kind === 'replies') return this.#events.replied(frame.replies);
    const isFirst = !this.#isOpen;
    if (isFirst) {
      this.#platform.clearTimeout(this.#timer);
      this.#isOpen = true;
      this.#failures = 0;
      this.#late = 0;
      this.problem = 'the connection was lost';
    }
    this.#events.news(frame.news);
    if (isFirst) this.#events.opened();
  }

  /** Ends the present socket without waiting for its own word. */
  #hangUp(why: string): void {
    const socket = this.#socket;
    if (socket === undefined) return;
    socket.onopen = null;
    socket.onmessage = null;
    // A socket that is closed while it is being opened says so as an error.
    socket.onerror = () => undefined;
    const farewell = this.#platform.setTimeout(() => socket.terminate?.(), FAREWELL_MS);
    socket.onclose = () => this.#platform.clearTimeout(farewell);
    socket.close();
    this.#over(why);
  }

  #over(why: string): void {
    const wasOpen = this.#isOpen;
    this.#platform.clearTimeout(this.#timer);
    this.#socket = undefined;
    this.#isOpen = false;
    this.#isSilent = false;
    this.problem = why;
    if (this.#isWanted) {
      const pauseMs = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** this.#failures);
      this.#failures += 1;
      this.#timer = this.#platform.setTimeout(() => this.#dial(), pauseMs);
    }
    if (wasOpen) this.#events.lost(why);
    else this.#events.failed();
  }
}

/** Bytes that wait to leave, and those that have come so far. */
interface Moved {
  readonly unsent: number;
  readonly read: number;
}

/** The event of a socket that could not be opened: browsers tell no reason, Node.js tells the system's error. */
interface FailedOpening {
  readonly message?: string;
  readonly error?: { readonly code?: string };
}

function reasonOf({ message, error }: FailedOpening): string {
  if (error?.code === 'ECONNREFUSED') return 'nobody listens there, ECONNREFUSED';
  return message ?? 'no connection';
}

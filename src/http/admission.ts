import type { Duplex } from 'node:stream';
import { QuorateError } from '../errors/quorate-error.js';
import type { Clock } from '../seams/clock.js';
import type { Descriptors } from './descriptors.js';

export interface AdmissionOptions {
  readonly clock: Clock;
  /** How many connections clients may have at most, whatever the system allows. */
  readonly maxConnections: number | undefined;
  /** How many other nodes the cluster has. */
  readonly peers: () => number;
  readonly countDescriptors: () => Descriptors | undefined;
  /** Tells the log of connections that were refused or ended. */
  readonly warn: (message: string) => void;
}

/** Descriptors that clients never get: for the log's files, name lookups, and what the process opens now and then. */
const KEPT_FOR_LOG = 16;
/** For each other node: its connection, ours, the next ones while these end, and a snapshot that travels: its connection and its file. */
const KEPT_FOR_EACH_PEER = 6;
/** Connections over the bound that may wait at the same time until they have said what they want. */
const MOST_UNDECIDED = 8;
const CHECK_EVERY_MS = 2_000;
/** A count is good for as long, together with what has been opened since. */
const FRESH_MS = 100;
const WARN_EVERY_MS = 60_000;

/** A connection that has a place. */
export interface Client {
  readonly end: () => void;
  /** Whether it waits for no answer. */
  readonly isIdle: () => boolean;
  /** How much it has asked so far. */
  readonly asked: () => number;
}

interface Place {
  readonly client: Client;
  /** How much it had asked at the last check; `isQuiet`: the check before had found the same. */
  asked: number | undefined;
  isQuiet: boolean;
}

/**
 * Keeps descriptors back for the log and the peers (P47). Clients' connections are counted against a bound below the
 * process's limit. Over it a connection may still say what it wants: a peer is let in, and a client has the place of one that has
 * asked nothing for some seconds, or is told that there is no room.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  /** Those that take a client's place, oldest first. */
  readonly #places = new Map<Duplex, Place>();
  /** Those over the bound, oldest first. */
  readonly #undecided = new Set<Duplex>();
  readonly #peers = new Set<Duplex>();
  #counted: { readonly descriptors: Descriptors | undefined; readonly atMs: number } | undefined;
  #openedSince = 0;
  #warnedAtMs: number | undefined;
  #timer: unknown;

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#checkLater();
  }

  /** A connection has come in. It takes a place if there is one. */
  arrived(socket: Duplex, client: Client): void {
    if (this.#places.has(socket) || this.#undecided.has(socket)) return;
    this.#openedSince += 1;
    socket.once('close', () => {
      this.#places.delete(socket);
      this.#undecided.delete(socket);
      this.#peers.delete(socket);
    });
    if (this.#hasRoom()) this.#seat(socket, client);
    else this.#wait(socket);
  }

  /** Undefined where this connection has a place, or gets one now; else why it has none. `client` is known of it from now on. */
  refusal(socket: Duplex, client: Client): QuorateError | undefined {
    if (this.#places.has(socket) || this.#hasRoom() || this.#endQuietOne()) {
      this.#seat(socket, client);
      return undefined;
    }
    this.#warn('turned a client away');
    return new QuorateError(
      'QUORATE_OVERLOADED',
      `${this.#places.size} clients are connected to this node, and it takes no more: try again later, or ask another node`,
    );
  }

  /** This connection speaks for a peer: it takes no client's place. False where more come than there can be peers. */
  admitPeer(socket: Duplex): boolean {
    if (this.#peers.size >= MOST_UNDECIDED + 2 * this.#options.peers()) return false;
    this.#places.delete(socket);
    this.#undecided.delete(socket);
    this.#peers.add(socket);
    return true;
  }

  stop(): void {
    this.#options.clock.clearTimeout(this.#timer);
  }

  #seat(socket: Duplex, client: Client): void {
    this.#undecided.delete(socket);
    this.#places.set(socket, { client, asked: undefined, isQuiet: false });
  }

  /** True where a connection that nobody uses at the moment was ended for another one that asks something. */
  #endQuietOne(): boolean {
    for (const [socket, { client, asked, isQuiet }] of this.#places) {
      if (!isQuiet || !client.isIdle() || client.asked() !== asked) continue;
      this.#places.delete(socket);
      client.end();
      this.#warn('ended an idle connection for a new one');
      return true;
    }
    return false;
  }

  /** The one that has waited longest gives way: a peer says at once what it wants, who says nothing is none. */
  #wait(socket: Duplex): void {
    this.#undecided.add(socket);
    if (this.#undecided.size <= MOST_UNDECIDED) return;
    const [oldest] = this.#undecided;
    oldest?.destroy();
    if (oldest !== undefined) this.#undecided.delete(oldest);
    this.#warn('ended connections that had not said yet what they want');
  }

  #hasRoom(): boolean {
    const { maxConnections = Number.POSITIVE_INFINITY } = this.#options;
    return this.#places.size < maxConnections && this.#spare() >= 0;
  }

  /** How many descriptors more clients may take. Counting takes time, so what was opened since the last count is added. */
  #spare(): number {
    const { clock } = this.#options;
    const isFresh = this.#counted !== undefined && clock.now() - this.#counted.atMs < FRESH_MS;
    const estimate = this.#estimate();
    return isFresh && estimate >= 0 ? estimate : this.#count();
  }

  #count(): number {
    const { clock, countDescriptors } = this.#options;
    this.#counted = { descriptors: countDescriptors(), atMs: clock.now() };
    this.#openedSince = 0;
    return this.#estimate();
  }

  #estimate(): number {
    const descriptors = this.#counted?.descriptors;
    if (descriptors === undefined) return Number.POSITIVE_INFINITY;
    return descriptors.limit - this.#kept - descriptors.used - this.#openedSince;
  }

  get #kept(): number {
    return KEPT_FOR_LOG + KEPT_FOR_EACH_PEER * this.#options.peers();
  }

  /** The limit may be lowered while clients are connected, and the process may open files of its own. */
  #checkLater(): void {
    const { clock } = this.#options;
    this.#timer = clock.setTimeout(() => {
      for (const place of this.#places.values()) {
        const asked = place.client.asked();
        place.isQuiet = place.asked === asked;
        place.asked = asked;
      }
      this.#makeRoom(-this.#count());
      this.#checkLater();
    }, CHECK_EVERY_MS);
  }

  #makeRoom(missing: number): void {
    if (missing <= 0 || this.#places.size === 0) return;
    const clients = [...this.#places.values()].map(({ client }) => client);
    const idleFirst = [...clients.filter(({ isIdle }) => isIdle()), ...clients.filter(({ isIdle }) => !isIdle())];
    const ending = idleFirst.slice(0, missing);
    for (const { end } of ending) end();
    this.#warn(`ended ${ending.length} connections of clients`);
  }

  #warn(what: string): void {
    const now = this.#options.clock.now();
    if (this.#warnedAtMs !== undefined && now - this.#warnedAtMs < WARN_EVERY_MS) return;
    this.#warnedAtMs = now;
    const { maxConnections } = this.#options;
    const limit = this.#counted?.descriptors?.limit;
    const bound =
      maxConnections !== undefined && this.#places.size >= maxConnections
        ? `--max-connections is ${maxConnections}: raise it`
        : `Of the ${limit} file descriptors that this process may have open, ${this.#kept} are kept for the log and the peers: raise the limit (ulimit -n, or LimitNOFILE= of a systemd unit)`;
    this.#options.warn(
      `${what}, because ${this.#places.size} are connected. ${bound}, or have clients use fewer connections`,
    );
  }
}
